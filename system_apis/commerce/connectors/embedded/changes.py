"""What the embedded storefronts log as changes: channel orders, when one is placed and when its status moves."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.changes import Changes
from system_apis.commerce.connectors.embedded.records import PREFIX
from system_apis.embedded import changes

CHANNELS = " ".join(f"WHEN '{channel}' THEN '{prefix}'" for channel, prefix in PREFIX.items())
NUMBER = f"CASE new.channel {CHANNELS} END || '-' || printf('%08d', new.number)"
SCHEMA = (
    changes.SCHEMA
    + changes.logged("channel_order", "AFTER INSERT", "channel_order", NUMBER)
    + changes.logged("channel_order", "AFTER UPDATE", "channel_order", NUMBER, when="old.word <> new.word")
)


def read(connection: sqlite3.Connection, after: int, limit: int) -> Changes:
    """Changes after a position."""
    return changes.read(connection, after, limit, lambda _, record: record)
