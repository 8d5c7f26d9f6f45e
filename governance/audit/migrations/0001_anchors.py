"""Anchors of journals, and the references of subjects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "audit_anchors",
        sa.Column("journal", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("kept_from", sa.BigInteger, nullable=False),
        sa.Column("kept_before", sa.String(64), nullable=False),
        sa.Column("anchored_us", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
    )
    op.create_table(
        "audit_subjects",
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("reference", sa.String(64), nullable=False, unique=True),
    )
