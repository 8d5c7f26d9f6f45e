"""The inbox: what was delivered, once each. Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

POSITION = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""SQLite counts up only what is called INTEGER, which has 64 bits there."""

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("position", POSITION, primary_key=True, autoincrement=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("event_id", sa.String(160), nullable=False),
    sa.Column("sent_us", sa.BigInteger, nullable=False),
    sa.Column("received_us", sa.BigInteger, nullable=False),
    sa.Column("notice", sa.Text, nullable=False),
    sa.Index("inbox_event", "system", "event_id", unique=True),
    sa.Index("inbox_system", "system", "position"),
    sqlite_autoincrement=True,
)
