"""Tables of subscriptions: endpoints, what is to be delivered to each, and every attempt.

There is one delivery for each subscription and event, at the event's position in the log; a replay
makes it wait again. Instants are microseconds since 1970 UTC. Signing secrets are kept as they are,
because every delivery is signed with them: who reads this database can sign.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")

subscriptions = sa.Table(
    "subscriptions",
    metadata,
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
    sa.Index("subscriptions_account", "account_id", "created_us", "subscription_id"),
    sa.Index("subscriptions_created", "created_us", "subscription_id"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
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
    sa.Index("deliveries_due", "status", "due_us"),
    sa.Index("deliveries_subject", "subscription_id", "subject", "status", "position"),
    sa.Index("deliveries_event", "subscription_id", "event_id"),
    sa.Index("deliveries_ended", "ended_us"),
)

attempts = sa.Table(
    "delivery_attempts",
    metadata,
    sa.Column("attempt", POSITION, primary_key=True, autoincrement=True),
    sa.Column("subscription_id", sa.String(40), nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("excerpt", sa.Text, nullable=False),
    sa.Index("delivery_attempts_of", "subscription_id", "position", "attempt"),
)

fan_out = sa.Table(
    "subscription_fan_out",
    metadata,
    sa.Column("name", sa.String(10), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)
"""One row: up to where in the log it has been asked who wants each event."""
