"""What the embedded CRM logs as changes: accounts and quotes."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.changes import Changes
from system_apis.embedded import changes

OTHER = "old.record <> new.record"
SCHEMA = (
    changes.SCHEMA
    + changes.logged("account", "AFTER INSERT", "account", "new.account_id")
    + changes.logged("account", "AFTER UPDATE", "account", "new.account_id", when=OTHER)
    + changes.logged("quote", "AFTER INSERT", "quote", "new.quote_id")
    + changes.logged("quote", "AFTER UPDATE", "quote", "new.quote_id", when=OTHER)
)


def read(connection: sqlite3.Connection, after: int, limit: int) -> Changes:
    """Changes after a position."""
    return changes.read(connection, after, limit, lambda _, record: record)
