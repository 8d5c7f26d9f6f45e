"""Subscriptions, their deliveries and every attempt."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _subscriptions()
    _deliveries()
    _attempts()
    cursor = op.create_table(
        "subscription_fan_out",
        sa.Column("name", sa.String(10), primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(cursor, [{"name": "all", "position": 0}])


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("subscription_id", sa.String(40), primary_key=True),
        sa.Column("account_id", sa.String(40), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("contact", sa.String(320), nullable=False),
        sa.Column("types", sa.Text, nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("secret", sa.String(120), nullable=False),
        sa.Column("former_secret", sa.String(120), nullable=False),
        sa.Column("former_until_us", sa.BigInteger, nullable=False),
        sa.Column("rotation", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("since_position", sa.BigInteger, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("failing_since_us", sa.BigInteger),
        sa.Column("delivered_us", sa.BigInteger),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("updated_us", sa.BigInteger, nullable=False),
        sa.Column("notified_us", sa.BigInteger),
    )
    op.create_index("subscriptions_account", "subscriptions", ["account_id", "created_us", "subscription_id"])
    op.create_index("subscriptions_created", "subscriptions", ["created_us", "subscription_id"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("subscription_id", sa.String(40), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("hold_until_us", sa.BigInteger, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("lease_until_us", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.String(40), nullable=False),
        sa.Column("ended_us", sa.BigInteger),
    )
    op.create_index("deliveries_due", "deliveries", ["status", "due_us"])
    op.create_index("deliveries_subject", "deliveries", ["subscription_id", "subject", "status", "position"])
    op.create_index("deliveries_event", "deliveries", ["subscription_id", "event_id"])
    op.create_index("deliveries_ended", "deliveries", ["ended_us"])


def _attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("attempt", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("subscription_id", sa.String(40), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("excerpt", sa.Text, nullable=False),
    )
    op.create_index("delivery_attempts_of", "delivery_attempts", ["subscription_id", "position", "attempt"])


def downgrade() -> None:
    """Drop the tables with everything in them."""
    for table in ("subscription_fan_out", "delivery_attempts", "deliveries", "subscriptions"):
        op.drop_table(table)
