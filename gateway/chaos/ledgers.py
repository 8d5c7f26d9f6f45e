"""What the systems of record hold, read from their own files with plain SQL by nothing of the gateway's.

Quantities are by SKU, amounts in minor units.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from msgspec import Struct

Row = sqlite3.Row
FIRST_NUMBER = 100_000
"""The ERP counts its documents from here on."""


class Invoice(Struct, frozen=True, kw_only=True):
    """An invoice of the ERP."""

    invoice_id: str
    total: int
    paid: int
    quantities: Counter[str]


class SalesOrder(Struct, frozen=True, kw_only=True):
    """A sales order of the ERP with its invoices."""

    key: int
    account_id: str
    customer_reference: str
    status: str
    total: int
    quantities: Counter[str]
    invoices: tuple[Invoice, ...]
    to_refund: int = 0
    """What its credit memos leave to be given back, by card."""

    @property
    def sales_order_id(self) -> str:
        """The number under which others know it."""
        return f"SO-{FIRST_NUMBER + self.key}"


class Payment(Struct, frozen=True, kw_only=True):
    """A payment of the payment provider."""

    payment_id: str
    order_id: str
    voided: bool
    amount: int
    captured: int
    refunded: int
    captures: int
    """The sum of its movements."""


class Shipment(Struct, frozen=True, kw_only=True):
    """A shipment of a warehouse."""

    shipment_id: str
    order_id: str
    status: str
    warehouse: str
    quantities: Counter[str]


class Reservation(Struct, frozen=True, kw_only=True):
    """A reservation of the ERP."""

    reference: str
    account_id: str
    status: str
    quantities: Counter[str]
    issued: Counter[str]
    """What of it left the books."""


class Exposure(Struct, frozen=True, kw_only=True):
    """What an account owes, as the ERP keeps it and as its documents add up."""

    account_id: str
    kept: int
    open: int


class Ledgers(Struct, frozen=True, kw_only=True):
    """All systems of record at one moment."""

    orders: tuple[SalesOrder, ...]
    reservations: tuple[Reservation, ...]
    on_hand: Counter[str]
    reserved: Counter[str]
    restocked: Counter[str]
    exposures: tuple[Exposure, ...]
    payments: tuple[Payment, ...]
    shipments: tuple[Shipment, ...]
    completed_activities: Counter[str]
    """Order id to how often sales was told that it is completed."""
    channel_words: dict[str, tuple[str, ...]]
    """Order id to the words that its channel was told."""


def read_ledgers(home: Path) -> Ledgers:
    """The ledgers in the files of ``home``."""
    systems = home / "systems"
    with closing(_open(systems / "erp.sqlite")) as erp:
        orders, reservations = tuple(_sales_orders(erp)), tuple(_reservations(erp))
        on_hand, reserved = _counted(erp, "on_hand"), _counted(erp, "reserved")
        restocked, exposures = _restocked(erp), tuple(_exposures(erp))
    with closing(_open(systems / "payments.sqlite")) as payments:
        paid = tuple(_payments(payments))
    with closing(_open(systems / "logistics.sqlite")) as logistics:
        sent = tuple(_shipments(logistics))
    with closing(_open(systems / "crm.sqlite")) as crm:
        told = _activities(crm)
    with closing(_open(systems / "commerce.sqlite")) as commerce:
        words = _channel_words(commerce)
    return Ledgers(
        orders=orders,
        reservations=reservations,
        on_hand=on_hand,
        reserved=reserved,
        restocked=restocked,
        exposures=exposures,
        payments=paid,
        shipments=sent,
        completed_activities=told,
        channel_words=words,
    )


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    return connection


def _lines(connection: sqlite3.Connection, owner: str, table: str) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(f"SELECT {owner} AS owner, sku, quantity FROM {table}"):
        found[row["owner"]][row["sku"]] += row["quantity"]
    return found


def _sales_orders(erp: sqlite3.Connection) -> Iterator[SalesOrder]:
    ordered, billed = _lines(erp, "sales_order", "sales_order_lines"), _lines(erp, "invoice", "invoice_lines")
    invoices: dict[int, list[Invoice]] = defaultdict(list)
    for row in erp.execute("SELECT * FROM invoices"):
        invoices[row["sales_order"]].append(
            Invoice(
                invoice_id=f"INV-{FIRST_NUMBER + row['key']}",
                total=row["total"],
                paid=row["paid"],
                quantities=billed.get(row["key"], Counter()),
            )
        )
    to_refund = _to_refund(erp)
    for row in erp.execute("SELECT * FROM sales_orders ORDER BY key"):
        yield SalesOrder(
            key=row["key"],
            account_id=row["account_id"],
            customer_reference=row["customer_reference"],
            status=row["status"],
            total=row["total"],
            quantities=ordered.get(row["key"], Counter()),
            invoices=tuple(invoices[row["key"]]),
            to_refund=to_refund[row["key"]],
        )


def _reservations(erp: sqlite3.Connection) -> Iterator[Reservation]:
    settled = _settled_parts(erp)
    allocated: dict[int, Counter[str]] = defaultdict(Counter)
    issued: dict[int, Counter[str]] = defaultdict(Counter)
    statuses = {row["key"]: row for row in erp.execute("SELECT * FROM reservations ORDER BY key")}
    for row in erp.execute("SELECT reservation AS key, sku, warehouse, quantity FROM allocations"):
        key = row["key"]
        outcome = settled.get((key, row["warehouse"]), statuses[key]["status"])
        allocated[key][row["sku"]] += row["quantity"]
        if outcome in ("consumed", "issued"):
            issued[key][row["sku"]] += row["quantity"]
    for key, row in statuses.items():
        yield Reservation(
            reference=row["reference"],
            account_id=row["account_id"],
            status=row["status"],
            quantities=allocated[key],
            issued=issued[key],
        )


def _settled_parts(erp: sqlite3.Connection) -> dict[tuple[int, str], str]:
    """What became of the part of a reservation in one warehouse, where that was settled by itself."""
    if not _has(erp, "settled_parts"):
        return {}
    return {
        (row["reservation"], row["warehouse"]): row["outcome"] for row in erp.execute("SELECT * FROM settled_parts")
    }


def _counted(erp: sqlite3.Connection, column: str) -> Counter[str]:
    return Counter(dict(map(tuple, erp.execute(f"SELECT sku, sum({column}) FROM stock GROUP BY sku"))))


def _restocked(erp: sqlite3.Connection) -> Counter[str]:
    query = "SELECT sku, sum(restocked) FROM inspected_lines GROUP BY sku"
    return Counter(dict(map(tuple, erp.execute(query)))) if _has(erp, "inspected_lines") else Counter()


def _to_refund(erp: sqlite3.Connection) -> Counter[int]:
    query = "SELECT sales_order, sum(to_refund) FROM credit_memos WHERE status = 'posted' GROUP BY sales_order"
    return Counter(dict(map(tuple, erp.execute(query)))) if _has(erp, "credit_memos") else Counter()


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def _exposures(erp: sqlite3.Connection) -> Iterator[Exposure]:
    owed: Counter[str] = Counter()
    for row in erp.execute("SELECT account_id, uninvoiced FROM sales_orders WHERE NOT prepaid"):
        owed[row["account_id"]] += row["uninvoiced"]
    unpaid = (
        "SELECT i.account_id, i.total - i.paid - i.credited AS due FROM invoices i"
        " JOIN sales_orders o ON o.key = i.sales_order WHERE NOT o.prepaid"
    )
    for row in erp.execute(unpaid):
        owed[row["account_id"]] += max(0, row["due"])
    for row in erp.execute("SELECT account_id, exposure FROM terms"):
        yield Exposure(account_id=row["account_id"], kept=row["exposure"], open=owed[row["account_id"]])


def _payments(payments: sqlite3.Connection) -> Iterator[Payment]:
    moved: Counter[int] = Counter()
    for row in payments.execute("SELECT payment_seq, amount_minor FROM movement WHERE kind = 'capture'"):
        moved[row["payment_seq"]] += row["amount_minor"]
    for row in payments.execute("SELECT * FROM payment ORDER BY seq"):
        yield Payment(
            payment_id=f"PAY-{row['seq']:08d}",
            order_id=row["order_reference"],
            voided=bool(row["voided"]),
            amount=row["amount_minor"],
            captured=row["captured_minor"],
            refunded=row["refunded_minor"],
            captures=moved[row["seq"]],
        )


def _shipments(logistics: sqlite3.Connection) -> Iterator[Shipment]:
    for row in logistics.execute("SELECT * FROM shipment ORDER BY seq"):
        quantities: Counter[str] = Counter()
        for line in json.loads(row["lines"]):
            quantities[line["sku"]] += line["quantity"]
        yield Shipment(
            shipment_id=f"SHP-{row['seq']:08d}",
            order_id=row["order_reference"],
            status=row["status"],
            warehouse=row["warehouse"],
            quantities=quantities,
        )


def _activities(crm: sqlite3.Connection) -> Counter[str]:
    found: Sequence[Row] = crm.execute("SELECT record FROM activity").fetchall()
    records = [json.loads(row["record"]) for row in found]
    return Counter(record["subject_id"] for record in records if record["kind"] == "order_completed")


def _channel_words(commerce: sqlite3.Connection) -> dict[str, tuple[str, ...]]:
    words: dict[str, tuple[str, ...]] = {}
    for row in commerce.execute("SELECT order_id, status FROM write_back ORDER BY order_id, status"):
        words[row["order_id"]] = (*words.get(row["order_id"], ()), row["status"])
    return words
