"""Tables of the event log. Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts up only what is called INTEGER, which has 64 bits there."""

events = sa.Table(
    "events",
    metadata,
    sa.Column("position", POSITION, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Column("type", sa.String(80), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("subject", sa.String(120), nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("account_id", sa.String(40)),
    sa.Column("source", sa.String(80), nullable=False),
    sa.Column("source_id", sa.String(160)),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("events_id", "event_id", unique=True),
    sa.Index("events_subject", "subject", "sequence", unique=True),
    sa.Index("events_source", "source", "source_id", unique=True),
    sa.Index("events_account", "account_id", "position"),
    sa.Index("events_at", "at_us"),
    sqlite_autoincrement=True,
)

event_subjects = sa.Table(
    "event_subjects",
    metadata,
    sa.Column("subject", sa.String(120), primary_key=True),
    sa.Column("sequence", sa.BigInteger, nullable=False),
)
"""The last sequence of each subject. It outlives the events, so that no sequence is ever given twice."""
