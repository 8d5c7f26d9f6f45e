"""The ledger: everything the embedded ERP holds, read at one moment, for proofs over whole runs.

``discrepancies`` recomputes what the file keeps as running sums; ``doubled`` and ``left_over`` are
what a crash must never cause.
"""

from __future__ import annotations

import sqlite3
from collections import Counter

from msgspec import Struct

from system_apis.erp.connectors.embedded.journal import number

ORDERS = """SELECT o.*, (SELECT count(*) FROM invoices i WHERE i.sales_order = o.key) AS invoices,
(SELECT coalesce(sum(i.total), 0) FROM invoices i WHERE i.sales_order = o.key) AS invoiced
FROM sales_orders o ORDER BY o.key"""
EXPOSURE = """SELECT t.account_id, t.exposure AS kept,
(SELECT coalesce(sum(o.uninvoiced), 0) FROM sales_orders o WHERE o.account_id = t.account_id AND NOT o.prepaid)
+ (SELECT coalesce(sum(max(0, i.total - i.paid - i.credited)), 0) FROM invoices i
   JOIN sales_orders o ON o.key = i.sales_order WHERE i.account_id = t.account_id AND NOT o.prepaid) AS due
FROM terms t"""
RESERVED = """SELECT s.sku, s.warehouse, s.reserved AS kept, (SELECT coalesce(sum(a.quantity), 0) FROM allocations a
JOIN reservations r ON r.key = a.reservation WHERE r.status = 'held' AND a.sku = s.sku AND a.warehouse = s.warehouse
AND NOT EXISTS (SELECT 1 FROM settled_parts p WHERE p.reservation = r.key AND p.warehouse = a.warehouse))
AS held FROM stock s"""

PAID = """SELECT i.key, i.paid AS kept,
(SELECT coalesce(sum(p.amount), 0) FROM invoice_payments p WHERE p.invoice = i.key)
+ (SELECT coalesce(sum(a.amount), 0) FROM payment_allocations a JOIN received_payments r ON r.key = a.payment
   WHERE a.invoice = i.key AND r.status = 'recorded') AS received FROM invoices i"""


class LedgerOrder(Struct, frozen=True, kw_only=True):
    """A sales order and how often and for how much, in minor units, it was invoiced."""

    sales_order_id: str
    reference: str
    customer_reference: str
    account_id: str
    status: str
    total_minor: int
    invoices: int
    invoiced_minor: int


class LedgerReservation(Struct, frozen=True, kw_only=True):
    """A reservation as the file has it: an overdue one that nobody touched yet is still held."""

    reference: str
    account_id: str
    status: str


class LedgerStock(Struct, frozen=True, kw_only=True):
    """All units of a product over all places."""

    sku: str
    on_hand: int
    reserved: int


class ErpLedger(Struct, frozen=True, kw_only=True):
    """The whole ERP at one moment."""

    orders: tuple[LedgerOrder, ...]
    reservations: tuple[LedgerReservation, ...]
    stock: tuple[LedgerStock, ...]
    discrepancies: tuple[str, ...]
    """Sentences about running sums that don't equal what they sum up; empty in a sound file."""

    def doubled(self) -> tuple[tuple[str, str], ...]:
        """Accounts and customer references with more than one order that was not cancelled."""
        live = Counter((o.account_id, o.customer_reference) for o in self.orders if o.status != "cancelled")
        return tuple(key for key, count in live.items() if count > 1)

    def left_over(self) -> tuple[LedgerReservation, ...]:
        """Reservations that still hold stock."""
        return tuple(reservation for reservation in self.reservations if reservation.status == "held")


def read(connection: sqlite3.Connection) -> ErpLedger:
    """The ledger of one snapshot of the file."""
    held = connection.execute("SELECT reference, account_id, status FROM reservations ORDER BY key")
    levels = connection.execute(
        "SELECT sku, sum(on_hand) AS on_hand, sum(reserved) AS reserved FROM stock GROUP BY sku ORDER BY sku"
    )
    return ErpLedger(
        orders=tuple(_order(row) for row in connection.execute(ORDERS)),
        reservations=tuple(
            LedgerReservation(reference=row["reference"], account_id=row["account_id"], status=row["status"])
            for row in held
        ),
        stock=tuple(LedgerStock(sku=row["sku"], on_hand=row["on_hand"], reserved=row["reserved"]) for row in levels),
        discrepancies=tuple(_discrepancies(connection)),
    )


def _order(row: sqlite3.Row) -> LedgerOrder:
    return LedgerOrder(
        sales_order_id=number("SO", row["key"]),
        reference=row["reference"],
        customer_reference=row["customer_reference"],
        account_id=row["account_id"],
        status=row["status"],
        total_minor=row["total"],
        invoices=row["invoices"],
        invoiced_minor=row["invoiced"],
    )


def _discrepancies(connection: sqlite3.Connection) -> list[str]:
    found = [
        f"exposure of {row['account_id']} is kept as {row['kept']} but its postings make {row['due']}"
        for row in connection.execute(EXPOSURE)
        if row["kept"] != row["due"]
    ]
    found += [
        f"{row['kept']} of {row['sku']} in {row['warehouse']} are kept as reserved but {row['held']} are held"
        for row in connection.execute(RESERVED)
        if row["kept"] != row["held"]
    ]
    found += [
        f"{number('INV', row['key'])} is kept as paid with {row['kept']} but {row['received']} were received"
        for row in connection.execute(PAID)
        if row["kept"] != row["received"]
    ]
    found += [
        f"{number('SO', row['key'])} is worth {row['total']} but invoiced at {row['invoiced']}"
        for row in connection.execute(ORDERS)
        if row["status"] == "invoiced" and row["invoiced"] != row["total"]
    ]
    return found
