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
    sa.Column("resting", sa.String(20), nullable=False, default=""),
    sa.Column("following", sa.Text, nullable=False, default=""),
    sa.Column("due_us", sa.BigInteger),
    sa.Column("amendments", sa.Integer, nullable=False, default=0),
    sa.Column("amended", sa.Integer, nullable=False, default=0),
    sa.Column("crashes", sa.Integer, nullable=False, default=0),
    sa.Column("trials", sa.Integer, nullable=False, default=0),
    sa.Column("wary", sa.Boolean, nullable=False, default=False),
    sa.Column("priority", sa.Integer, nullable=False, default=5),
    sa.Column("turn", sa.String(80), nullable=False, default=""),
    sa.Column("parent_id", sa.String(80), nullable=False, default=""),
    sa.Column("outcome", sa.String(20), nullable=False, default=""),
    sa.Column("ended_us", sa.BigInteger),
    sa.Index("flows_due", "due_us"),
    sa.Index("flows_ended", "ended_us"),
    sa.Index("flows_turn", "turn", "started_us"),
)
"""``resting``: empty while a workflow of the engine carries it, ``due`` until ``due_us`` or a signal, ``exception``
until people settle it. ``following`` is the leg that comes next then. ``amendments`` were asked for, ``amended`` are
done. ``crashes`` since the last checkpoint, of the process; ``trials`` that killed it. ``wary``: it died under the flow, so
steps after the last checkpoint may have been begun; true until everything is undone."""

signals = sa.Table(
    "signals",
    metadata,
    sa.Column("flow_id", sa.String(80), primary_key=True),
    sa.Column("source_id", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

exceptions = sa.Table(
    "exceptions",
    metadata,
    sa.Column("exception_id", sa.String(80), primary_key=True),
    sa.Column("flow_id", sa.String(80), nullable=False),
    sa.Column("flow", sa.String(80), nullable=False),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("queue", sa.String(40), nullable=False),
    sa.Column("step", sa.String(80), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("problem", sa.String(80), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),
    sa.Column("choices", sa.Text, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("assignee", sa.String(120), nullable=False, default=""),
    sa.Column("opened_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("due_us", sa.BigInteger, nullable=False),
    sa.Column("escalated_us", sa.BigInteger),
    sa.Column("settled_us", sa.BigInteger),
    sa.Column("settlement", sa.Text, nullable=False, default=""),
    sa.Index("exceptions_newest", "opened_us", "exception_id"),
    sa.Index("exceptions_queue", "queue", "status", "opened_us", "exception_id"),
    sa.Index("exceptions_due", "status", "due_us"),
    sa.Index("exceptions_flow", "flow_id"),
)
"""``kind``: refusal, outage, fault, undo or poison. ``status``: open, settled by people, or closed because the flow
went on by itself or was cancelled. ``evidence`` and ``settlement`` are JSON objects, ``choices`` a JSON array."""

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
