"""Money received at the bank: put to open invoices as it is stated, or oldest due first; the rest is unapplied.

Invoices that a card pays are left out unless they are named. A payment that is cancelled, as when the bank takes
it back, opens its invoices again. A payment's allocations never exceed it, nor what was open of their invoices.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import AmountExceeded, CurrencyMismatch, ReferenceTaken, WrongState
from system_apis.canonical.values import Money
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import invoices
from system_apis.erp.connectors.embedded import terms as customers
from system_apis.erp.connectors.embedded.journal import (
    instant,
    key_of,
    leave_tombstone,
    number,
    refuse_undone,
    selection,
    stamp,
    stored,
)
from system_apis.erp.port import DocumentFilter
from system_apis.erp.receivables import Allocations, NewReceivedPayment, PaymentAllocation, PaymentApplication
from system_apis.erp.receivables import ReceivedPayment as Payment

KIND = "received_payment"
SCHEMA = """
CREATE TABLE IF NOT EXISTS received_payments (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES terms, status TEXT NOT NULL CHECK (status IN ('recorded', 'cancelled')),
    currency TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    unapplied INTEGER NOT NULL CHECK (unapplied BETWEEN 0 AND amount), bank_reference TEXT NOT NULL,
    received_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS received_payments_of ON received_payments (account_id, key);
CREATE TABLE IF NOT EXISTS payment_allocations (
    key INTEGER PRIMARY KEY, payment INTEGER NOT NULL REFERENCES received_payments,
    invoice INTEGER NOT NULL REFERENCES invoices, amount INTEGER NOT NULL CHECK (amount > 0)
) STRICT;
CREATE INDEX IF NOT EXISTS payment_allocations_of ON payment_allocations (payment);
CREATE INDEX IF NOT EXISTS payment_allocations_to ON payment_allocations (invoice);
CREATE TABLE IF NOT EXISTS payment_applications (
    reference TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, payment INTEGER NOT NULL REFERENCES received_payments
) STRICT;
"""
OPEN = """SELECT i.key, i.total - i.paid - i.credited AS open FROM invoices i JOIN sales_orders o ON o.key = i.sales_order
WHERE i.account_id = ? AND i.currency = ? AND i.status = 'open' AND NOT o.prepaid ORDER BY i.due_on, i.key"""


def record(connection: sqlite3.Connection, request: NewReceivedPayment, reference: str, now: datetime) -> Payment:
    """Post the money, once per reference, and put it to invoices.

    Raises:
        UnknownAccount, CurrencyMismatch, NotFound, AmountExceeded, ReferenceTaken, Tombstoned
    """
    known = stored(connection, "received_payments", "RCP", reference, request)
    if known is not None:
        return by_key(connection, known)
    refuse_undone(connection, KIND, reference, request.account_id)
    currency = customers.get(connection, request.account_id).currency
    if request.amount.currency != currency:
        raise CurrencyMismatch(expected=currency, given=request.amount.currency)
    amount = request.amount.amount_minor
    key = connection.execute(
        """INSERT INTO received_payments (reference, fingerprint, account_id, status, currency, amount, unapplied,
        bank_reference, received_at) VALUES (?, ?, ?, 'recorded', ?, ?, ?, ?, ?)""",
        (
            reference, fingerprint(request), request.account_id, currency, amount, amount, request.bank_reference,
            stamp(now),
        ),
    ).lastrowid  # fmt: skip
    _allocate(connection, int(key or 0), request.allocations)
    return by_key(connection, int(key or 0))


def apply(connection: sqlite3.Connection, payment_id: str, request: PaymentApplication, reference: str) -> Payment:
    """Put what is unapplied of a payment to invoices, once per reference.

    Raises:
        NotFound, WrongState, CurrencyMismatch, AmountExceeded, ReferenceTaken
    """
    key = key_of("RCP", payment_id)
    row = _row(connection, key)
    if row["account_id"] != request.account_id:
        raise NotFound()
    known = connection.execute("SELECT * FROM payment_applications WHERE reference = ?", (reference,)).fetchone()
    if known is not None:
        if known["payment"] != key or known["fingerprint"] != fingerprint(request):
            raise ReferenceTaken(reference=reference, record_id=number("RCP", known["payment"]))
        return by_key(connection, key)
    if row["status"] != "recorded":
        raise WrongState(record_id=payment_id, state=row["status"], needs="recorded")
    values = (reference, fingerprint(request), key)
    connection.execute("INSERT INTO payment_applications VALUES (?, ?, ?)", values)
    _allocate(connection, key, request.allocations)
    return by_key(connection, key)


def cancel(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> Payment | None:
    """Open the invoices again; None when there was no payment, whose reference is then barred. Raises ``NotFound``."""
    row = connection.execute("SELECT * FROM received_payments WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        leave_tombstone(connection, KIND, reference, account_id, now)
        return None
    if row["account_id"] != account_id:
        raise NotFound()
    if row["status"] == "recorded":
        sql = "UPDATE received_payments SET status = 'cancelled', unapplied = 0 WHERE key = ?"
        connection.execute(sql, (row["key"],))
        sql = "SELECT invoice, amount FROM payment_allocations WHERE payment = ?"
        for part in connection.execute(sql, (row["key"],)).fetchall():
            _pay(connection, part["invoice"], -part["amount"])
    return by_key(connection, row["key"])


def find_application(connection: sqlite3.Connection, reference: str) -> Payment | None:
    """The payment of which something was put to invoices under ``reference``."""
    sql = "SELECT payment FROM payment_applications WHERE reference = ?"
    row = connection.execute(sql, (reference,)).fetchone()
    return None if row is None else by_key(connection, row["payment"])


def get(connection: sqlite3.Connection, payment_id: str) -> Payment:
    """The payment of this number, or ``NotFound``."""
    return by_key(connection, key_of("RCP", payment_id))


def by_key(connection: sqlite3.Connection, key: int) -> Payment:
    """The payment, or ``NotFound``."""
    row = _row(connection, key)
    currency = row["currency"]
    sql = (
        "SELECT invoice, sum(amount) AS amount FROM payment_allocations WHERE payment = ? GROUP BY 1 ORDER BY min(key)"
    )
    return Payment(
        received_payment_id=number("RCP", key),
        reference=row["reference"],
        account_id=row["account_id"],
        status=row["status"],
        amount=Money(row["amount"], currency),
        allocations=tuple(
            PaymentAllocation(invoice_id=number("INV", part["invoice"]), amount=Money(part["amount"], currency))
            for part in connection.execute(sql, (key,))
        ),
        unapplied=Money(row["unapplied"], currency),
        bank_reference=row["bank_reference"],
        received_at=instant(row["received_at"]),
    )


def search(
    connection: sqlite3.Connection, which: DocumentFilter, after: int, limit: int
) -> tuple[tuple[int, Payment], ...]:
    """Payments with their key, by rising key."""
    rest, values = selection(which, after, limit, None)
    keys = [row["key"] for row in connection.execute(f"SELECT key FROM received_payments {rest}", values)]
    return tuple((key, by_key(connection, key)) for key in keys)


def _row(connection: sqlite3.Connection, key: int) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM received_payments WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise NotFound()
    return row


def _allocate(connection: sqlite3.Connection, key: int, stated: Allocations | None) -> None:
    row = _row(connection, key)
    left = row["unapplied"]
    if stated is None:
        for invoice in connection.execute(OPEN, (row["account_id"], row["currency"])).fetchall():
            part = min(left, invoice["open"])
            if part:
                _put(connection, key, invoice["key"], part)
            left -= part
        return
    asked = sum(one.amount.amount_minor for one in stated)
    if asked > left:
        currency = row["currency"]
        raise AmountExceeded(remaining=Money(left, currency), requested=Money(asked, currency))
    for one in stated:
        _put(connection, key, _open_for(connection, row, one), one.amount.amount_minor)


def _open_for(connection: sqlite3.Connection, payment: sqlite3.Row, stated: PaymentAllocation) -> int:
    key = key_of("INV", stated.invoice_id)
    row = connection.execute("SELECT * FROM invoices WHERE key = ?", (key,)).fetchone()
    if row is None or row["account_id"] != payment["account_id"]:
        raise NotFound()
    if stated.amount.currency != row["currency"]:
        raise CurrencyMismatch(expected=row["currency"], given=stated.amount.currency)
    left = max(0, row["total"] - row["paid"] - row["credited"])
    if stated.amount.amount_minor > left:
        raise AmountExceeded(remaining=Money(left, row["currency"]), requested=stated.amount)
    return key


def _put(connection: sqlite3.Connection, key: int, invoice: int, amount: int) -> None:
    sql = "INSERT INTO payment_allocations (payment, invoice, amount) VALUES (?, ?, ?)"
    connection.execute(sql, (key, invoice, amount))
    connection.execute("UPDATE received_payments SET unapplied = unapplied - ? WHERE key = ?", (amount, key))
    _pay(connection, invoice, amount)


def _pay(connection: sqlite3.Connection, invoice: int, amount: int) -> None:
    connection.execute("UPDATE invoices SET paid = paid + ? WHERE key = ?", (amount, invoice))
    invoices.settle(connection, invoice)
