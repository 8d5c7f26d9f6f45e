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

event_sources = sa.Table(
    "event_sources",
    metadata,
    sa.Column("source", sa.String(40), primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
)
"""How far each system of record was read."""

event_gatherer = sa.Table(
    "event_gatherer",
    metadata,
    sa.Column("lease", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.String(40), nullable=False),
    sa.Column("until_us", sa.BigInteger, nullable=False),
)
"""The one process that reads them, until its lease ends: a single row."""

event_links = sa.Table(
    "event_links",
    metadata,
    sa.Column("record_id", sa.String(80), primary_key=True),
    sa.Column("subject", sa.String(120), nullable=False),
)
"""Which order a sales order of the ERP belongs to, from the event that confirmed it."""
