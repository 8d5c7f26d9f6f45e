"""The outbox of mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "mail",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("reference", sa.String(80), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("template", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("code", sa.Integer, nullable=False),
        sa.Column("taken_until_us", sa.BigInteger, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("sent_us", sa.BigInteger),
        sa.Column("refusal", sa.Text, nullable=False),
    )
    op.create_index("mail_account", "mail", ["account_id", "seq"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("mail")
