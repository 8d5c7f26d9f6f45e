"""Flows, their timeline, and orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "flows",
        sa.Column("flow_id", sa.String(80), primary_key=True),
        sa.Column("flow", sa.String(80), nullable=False),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("initiator", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("leg", sa.Integer, nullable=False),
        sa.Column("committed", sa.Boolean, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("cancel_reason", sa.Text, nullable=False),
        sa.Column("started_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "timeline",
        sa.Column("flow_id", sa.String(80), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String(80), nullable=False),
        sa.Column("tier", sa.String(20), nullable=False),
        sa.Column("api", sa.String(80), nullable=False),
        sa.Column("operation", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
    )
    op.create_table(
        "orders",
        sa.Column("order_id", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("channel", sa.String(40), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("placed_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
    )
    op.create_index("orders_newest", "orders", ["placed_us", "order_id"])
    op.create_index("orders_account", "orders", ["account_id", "placed_us", "order_id"])
    op.create_index("orders_reference", "orders", ["reference"])
    op.create_index("orders_updated", "orders", ["updated_us"])


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("orders", "timeline", "flows"):
        op.drop_table(table)
