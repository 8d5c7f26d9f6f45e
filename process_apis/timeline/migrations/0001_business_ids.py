"""Business ids of flows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "business_ids",
        sa.Column("value", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("flow_id", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(40), nullable=False),
    )
    op.create_index("business_ids_flow", "business_ids", ["flow_id"])
    op.create_table(
        "indexed_flows",
        sa.Column("flow_id", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables; they are filled again from the flows."""
    for table in ("indexed_flows", "business_ids"):
        op.drop_table(table)
