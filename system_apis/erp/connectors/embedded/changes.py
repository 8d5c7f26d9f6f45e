"""What the embedded ERP logs as changes: list and agreed prices, what is free in a warehouse, and invoices."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.changes import Changes
from system_apis.embedded import changes
from system_apis.erp.connectors.embedded.journal import number

# A list price is replaced as a whole, so its row is compared before it goes.
NEW_LIST_PRICE = """NOT EXISTS (SELECT 1 FROM list_prices WHERE sku = new.sku AND currency = new.currency
    AND amount = new.amount AND per = new.per)"""
OTHER_PRICE = "old.amount <> new.amount OR old.per <> new.per"
OTHER_LEVEL = "old.on_hand - old.reserved <> new.on_hand - new.reserved"
OTHER_INVOICE = "old.status <> new.status OR old.paid <> new.paid OR old.credited <> new.credited"
SCHEMA = (
    changes.SCHEMA
    + changes.logged("list_prices", "BEFORE INSERT", "price", "new.sku", when=NEW_LIST_PRICE)
    + "".join(
        changes.logged(table, "AFTER INSERT", "price", "new.sku") for table in ("volume_prices", "contract_prices")
    )
    + "".join(
        changes.logged(table, "AFTER UPDATE", "price", "new.sku", when=OTHER_PRICE)
        for table in ("list_prices", "volume_prices", "contract_prices")
    )
    + changes.logged("stock", "AFTER INSERT", "stock", "new.sku", place="new.warehouse")
    + changes.logged("stock", "AFTER UPDATE", "stock", "new.sku", place="new.warehouse", when=OTHER_LEVEL)
    + changes.logged("invoices", "AFTER INSERT", "invoice", "CAST(new.key AS TEXT)")
    + changes.logged("invoices", "AFTER UPDATE", "invoice", "CAST(new.key AS TEXT)", when=OTHER_INVOICE)
)


def read(connection: sqlite3.Connection, after: int, limit: int) -> Changes:
    """Changes after a position."""
    return changes.read(connection, after, limit, _record_id)


def _record_id(kind: str, record: str) -> str:
    return number("INV", int(record)) if kind == "invoice" else record
