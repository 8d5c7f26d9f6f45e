"""Returns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first table."""
    op.create_table(
        "returns",
        sa.Column("return_id", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("order_id", sa.String(80), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("requested_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("returns_newest", "returns", ["requested_us", "return_id"])
    op.create_index("returns_account", "returns", ["account_id", "requested_us", "return_id"])
    op.create_index("returns_order", "returns", ["order_id"])
    op.create_index("returns_updated", "returns", ["updated_us"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("returns")
