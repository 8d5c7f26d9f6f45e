"""Grants of users, refresh tokens, and what was revoked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "issuer_grants",
        sa.Column("grant_id", sa.String(64), primary_key=True),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("resources", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("code_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("code_until_us", sa.BigInteger, nullable=False),
        sa.Column("spent_us", sa.BigInteger),
        sa.Column("revoked_us", sa.BigInteger),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.create_index("issuer_grants_until", "issuer_grants", ["until_us"])
    op.create_table(
        "issuer_refresh_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column(
            "grant_id", sa.String(64), sa.ForeignKey("issuer_grants.grant_id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("spent_us", sa.BigInteger),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.create_index("issuer_refresh_tokens_grant", "issuer_refresh_tokens", ["grant_id"])
    op.create_table(
        "issuer_revoked",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("revoked_us", sa.BigInteger, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.create_index("issuer_revoked_since", "issuer_revoked", ["revoked_us"])


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("issuer_refresh_tokens", "issuer_grants", "issuer_revoked"):
        op.drop_table(table)
