"""What orders look like, so that the same order is not taken twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "order_likenesses",
        sa.Column("account_id", sa.String(40), primary_key=True),
        sa.Column("likeness", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(80), nullable=False),
        sa.Column("placed_us", sa.BigInteger, nullable=False),
    )
    op.create_index("order_likenesses_placed", "order_likenesses", ["placed_us"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("order_likenesses")
