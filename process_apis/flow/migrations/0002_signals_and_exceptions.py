"""Flows that rest as rows, their signals, and the exceptions that people settle."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NEW: tuple[sa.Column[int] | sa.Column[str], ...] = (
    sa.Column("resting", sa.String(20), nullable=False, server_default=""),
    sa.Column("following", sa.Text, nullable=False, server_default=""),
    sa.Column("due_us", sa.BigInteger),
    sa.Column("amendments", sa.Integer, nullable=False, server_default="0"),
    sa.Column("amended", sa.Integer, nullable=False, server_default="0"),
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("trials", sa.Integer, nullable=False, server_default="0"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="5"),
    sa.Column("turn", sa.String(80), nullable=False, server_default=""),
    sa.Column("parent_id", sa.String(80), nullable=False, server_default=""),
    sa.Column("outcome", sa.String(20), nullable=False, server_default=""),
    sa.Column("ended_us", sa.BigInteger),
)


def upgrade() -> None:
    """Let flows rest, listen and wait for people."""
    for column in NEW:
        op.add_column("flows", column)
    op.create_index("flows_due", "flows", ["due_us"])
    op.create_index("flows_ended", "flows", ["ended_us"])
    op.create_index("flows_turn", "flows", ["turn", "started_us"])
    op.create_table(
        "signals",
        sa.Column("flow_id", sa.String(80), primary_key=True),
        sa.Column("source_id", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "exceptions",
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
        sa.Column("assignee", sa.String(120), nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("escalated_us", sa.BigInteger),
        sa.Column("settled_us", sa.BigInteger),
        sa.Column("settlement", sa.Text, nullable=False),
    )
    op.create_index("exceptions_newest", "exceptions", ["opened_us", "exception_id"])
    op.create_index("exceptions_queue", "exceptions", ["queue", "status", "opened_us", "exception_id"])
    op.create_index("exceptions_due", "exceptions", ["status", "due_us"])
    op.create_index("exceptions_flow", "exceptions", ["flow_id"])


def downgrade() -> None:
    """Drop them; flows that rest are lost."""
    op.drop_table("exceptions")
    op.drop_table("signals")
    for index in ("flows_turn", "flows_ended", "flows_due"):
        op.drop_index(index, "flows")
    for column in NEW:
        op.drop_column("flows", str(column.name))
