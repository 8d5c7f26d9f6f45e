"""What the embedded payment provider logs as changes: payments of which something was captured or refunded."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.changes import Changes
from system_apis.embedded import changes
from system_apis.payments.connectors.embedded.records import payment_id

SCHEMA = changes.SCHEMA + changes.logged("movement", "AFTER INSERT", "payment", "CAST(new.payment_seq AS TEXT)")


def read(connection: sqlite3.Connection, after: int, limit: int) -> Changes:
    """Changes after a position."""
    return changes.read(connection, after, limit, lambda _, record: payment_id(int(record)))
