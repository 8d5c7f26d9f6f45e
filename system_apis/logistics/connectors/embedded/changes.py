"""What the embedded warehouse logs as changes: shipments, when one is released and with each step that it takes."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.changes import Changes
from system_apis.embedded import changes
from system_apis.logistics.connectors.embedded.records import shipment_id

OTHER_STATE = "old.status <> new.status OR old.promised_on IS NOT new.promised_on"
RECORD = "CAST(new.seq AS TEXT)"
SCHEMA = (
    changes.SCHEMA
    + changes.logged("event", "AFTER INSERT", "shipment", "CAST(new.shipment_seq AS TEXT)")
    + changes.logged("shipment", "AFTER UPDATE", "shipment", RECORD, when=OTHER_STATE)
)


def read(connection: sqlite3.Connection, after: int, limit: int) -> Changes:
    """Changes after a position."""
    return changes.read(connection, after, limit, lambda _, record: shipment_id(int(record)))
