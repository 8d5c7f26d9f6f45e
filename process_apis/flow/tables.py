"""Tables of the flow engine: one row a flow, and what was done for each.

Instants are microseconds since 1970 UTC, so that they sort and compare the same in every database.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

flows = sa.Table(
    "flows",
    metadata,
    sa.Column("flow_id", sa.String(80), primary_key=True),
    sa.Column("flow", sa.String(80), nullable=False),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("key", sa.String(80), nullable=False),
    sa.Column("initiator", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, default=0),
    sa.Column("leg", sa.Integer, nullable=False, default=0),
    sa.Column("committed", sa.Boolean, nullable=False, default=False),
    sa.Column("ended", sa.Boolean, nullable=False, default=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("cancel_reason", sa.Text, nullable=False, default=""),
    sa.Column("started_us", sa.BigInteger, nullable=False),
)

timeline = sa.Table(
    "timeline",
    metadata,
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

orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.String(80), primary_key=True),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("reference", sa.String(80), nullable=False),
    sa.Column("channel", sa.String(40), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("placed_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("orders_newest", "placed_us", "order_id"),
    sa.Index("orders_account", "account_id", "placed_us", "order_id"),
    sa.Index("orders_reference", "reference"),
    sa.Index("orders_updated", "updated_us"),
)
