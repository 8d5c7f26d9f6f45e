"""Quotes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first table."""
    op.create_table(
        "quotes",
        sa.Column("quote_id", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("requested_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("quotes_newest", "quotes", ["requested_us", "quote_id"])
    op.create_index("quotes_account", "quotes", ["account_id", "requested_us", "quote_id"])
    op.create_index("quotes_updated", "quotes", ["updated_us"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("quotes")
