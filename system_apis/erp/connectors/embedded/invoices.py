"""Invoices and the money received for them.

Parts of an order are rounded on what is invoiced so far, so all invoices of an order together are
exactly the order. ``on_account`` is what an invoice adds to the account's exposure.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from typing import Any

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Invoice, InvoiceLine
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    QuantityExceeded,
    ReferenceTaken,
    WrongState,
)
from system_apis.canonical.values import Money
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import terms as customers
from system_apis.erp.connectors.embedded.journal import instant, key_of, number, selection, stamp, stored
from system_apis.erp.connectors.embedded.totals import part_of, tax_on
from system_apis.erp.documents import InvoicePayment, NewInvoice
from system_apis.erp.port import DocumentFilter

DAYS = {"prepaid_card": 0, "net_14": 14, "net_30": 30, "net_60": 60}
LINES = "SELECT * FROM sales_order_lines WHERE sales_order = ? ORDER BY line_no"


def post(connection: sqlite3.Connection, request: NewInvoice, reference: str, now: datetime) -> Invoice:
    """Invoice the order's lines, all that is left or the quantities asked for.

    Raises:
        NotFound, WrongState, QuantityExceeded, ReferenceTaken
    """
    stored_key = stored(connection, "invoices", "INV", reference, request)
    if stored_key is not None:
        return by_key(connection, stored_key)
    order = open_order(connection, request.sales_order_id, request.account_id)
    if order["status"] != "posted":
        raise WrongState(record_id=request.sales_order_id, state=order["status"], needs="posted")
    lines = connection.execute(LINES, (order["key"],)).fetchall()
    parts = _parts(lines, request)
    net = sum(part[3] for part in parts)
    tax = _tax_now(connection, order["key"], lines, parts)
    key = _insert(connection, request, reference, order, net, tax, now)
    _insert_parts(connection, key, order["key"], parts)
    _close_order(connection, order, net + tax)
    settle(connection, key)
    return by_key(connection, key)


def pay(
    connection: sqlite3.Connection, invoice_id: str, payment: InvoicePayment, reference: str, now: datetime
) -> Invoice:
    """Post money received, once per reference.

    Raises:
        NotFound, AmountExceeded, CurrencyMismatch, ReferenceTaken
    """
    key = key_of("INV", invoice_id)
    row = connection.execute("SELECT * FROM invoices WHERE key = ?", (key,)).fetchone()
    if row is None or row["account_id"] != payment.account_id:
        raise NotFound()
    if _paid_already(connection, key, payment, reference):
        return by_key(connection, key)
    currency = row["currency"]
    if payment.amount.currency != currency:
        raise CurrencyMismatch(expected=currency, given=payment.amount.currency)
    remaining = max(0, row["total"] - row["paid"] - row["credited"])
    if payment.amount.amount_minor > remaining:
        raise AmountExceeded(remaining=Money(remaining, currency), requested=payment.amount)
    values = (reference, fingerprint(payment), key, payment.amount.amount_minor, stamp(now))
    connection.execute("INSERT INTO invoice_payments VALUES (?, ?, ?, ?, ?)", values)
    connection.execute("UPDATE invoices SET paid = paid + ? WHERE key = ?", (payment.amount.amount_minor, key))
    settle(connection, key)
    return by_key(connection, key)


def find_payment(connection: sqlite3.Connection, reference: str) -> InvoicePayment | None:
    """The payment posted under ``reference``."""
    sql = """SELECT p.amount, i.currency, i.account_id FROM invoice_payments p JOIN invoices i ON i.key = p.invoice
    WHERE p.reference = ?"""
    row = connection.execute(sql, (reference,)).fetchone()
    return row and InvoicePayment(account_id=row["account_id"], amount=Money(row["amount"], row["currency"]))


def credit(connection: sqlite3.Connection, order_key: int, amount: int) -> int:
    """Take ``amount`` minor units off the order's invoices, oldest first; how many had no room for it."""
    rows = connection.execute("SELECT * FROM invoices WHERE sales_order = ? ORDER BY key", (order_key,)).fetchall()
    for row in rows:
        part = min(amount, row["total"] - row["credited"])
        connection.execute("UPDATE invoices SET credited = credited + ? WHERE key = ?", (part, row["key"]))
        settle(connection, row["key"])
        amount -= part
    return amount


def settle(connection: sqlite3.Connection, key: int) -> None:
    """Bring an invoice's status and its part of the exposure in line with what is paid and credited."""
    sql = """SELECT i.*, o.prepaid FROM invoices i JOIN sales_orders o ON o.key = i.sales_order WHERE i.key = ?"""
    row = connection.execute(sql, (key,)).fetchone()
    open_amount = max(0, row["total"] - row["paid"] - row["credited"])
    status = "open" if open_amount else "credited" if row["credited"] == row["total"] > 0 else "paid"
    on_account = 0 if row["prepaid"] else open_amount
    connection.execute("UPDATE invoices SET status = ?, on_account = ? WHERE key = ?", (status, on_account, key))
    customers.owe(connection, row["account_id"], on_account - row["on_account"])


def open_order(connection: sqlite3.Connection, sales_order_id: str, account_id: str) -> sqlite3.Row:
    """The row of the account's order, or ``NotFound``."""
    sql = "SELECT * FROM sales_orders WHERE key = ? AND account_id = ?"
    row: sqlite3.Row | None = connection.execute(sql, (key_of("SO", sales_order_id), account_id)).fetchone()
    if row is None:
        raise NotFound()
    return row


def by_key(connection: sqlite3.Connection, key: int) -> Invoice:
    """The invoice, or ``NotFound``."""
    row = connection.execute("SELECT * FROM invoices WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise NotFound()
    return _invoice(connection, row)


def get(connection: sqlite3.Connection, invoice_id: str) -> Invoice:
    """The invoice of this number, or ``NotFound``."""
    return by_key(connection, key_of("INV", invoice_id))


def search(
    connection: sqlite3.Connection, which: DocumentFilter, after: int, limit: int
) -> tuple[tuple[int, Invoice], ...]:
    """Invoices with their key, by rising key."""
    order = None if which.sales_order_id is None else key_of("SO", which.sales_order_id)
    rest, values = selection(which, after, limit, order)
    rows = connection.execute(f"SELECT * FROM invoices {rest}", values).fetchall()
    return tuple((row["key"], _invoice(connection, row)) for row in rows)


Part = tuple[int, str, int, int, int]
"""Line number, SKU, quantity, net in minor units, tax rate in basis points."""


def _parts(lines: list[sqlite3.Row], request: NewInvoice) -> list[Part]:
    wanted = {row["line_no"]: row["quantity"] - row["invoiced"] for row in lines}
    if request.lines is not None:
        asked: dict[int, int] = {}
        for line in request.lines:
            asked[line.line_no] = asked.get(line.line_no, 0) + line.quantity
        if not asked.keys() <= wanted.keys():
            raise NotFound()
        for row in lines:
            quantity = asked.get(row["line_no"], 0)
            if quantity > wanted[row["line_no"]]:
                raise QuantityExceeded(sku=row["sku"], remaining=wanted[row["line_no"]], requested=quantity)
        wanted = asked
    return [_part(row, wanted[row["line_no"]]) for row in lines if wanted.get(row["line_no"])]


def _part(row: sqlite3.Row, quantity: int) -> Part:
    net = part_of(row["net"], row["quantity"], row["invoiced"], row["invoiced_net"], quantity)
    return row["line_no"], row["sku"], quantity, net, row["tax_rate_bp"]


def _tax_now(connection: sqlite3.Connection, order_key: int, lines: list[sqlite3.Row], parts: list[Part]) -> int:
    so_far = [(row["invoiced_net"], row["tax_rate_bp"]) for row in lines]
    sql = "SELECT coalesce(sum(tax), 0) FROM invoices WHERE sales_order = ?"
    billed = connection.execute(sql, (order_key,)).fetchone()[0]
    return tax_on([*so_far, *((net, rate_bp) for *_, net, rate_bp in parts)]) - billed


def _insert(
    connection: sqlite3.Connection,
    request: NewInvoice,
    reference: str,
    order: sqlite3.Row,
    net: int,
    tax: int,
    now: datetime,
) -> int:
    due_on = (now + timedelta(days=DAYS[customers.get(connection, request.account_id).payment_terms])).date()
    key = connection.execute(
        """INSERT INTO invoices (reference, fingerprint, sales_order, account_id, status, currency, net, tax, total,
        issued_at, due_on) VALUES (?, ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?)""",
        (
            reference, fingerprint(request), order["key"], request.account_id, order["currency"], net, tax, net + tax,
            stamp(now), (now.date() if order["prepaid"] else due_on).isoformat(),
        ),
    ).lastrowid  # fmt: skip
    return int(key or 0)


def _insert_parts(connection: sqlite3.Connection, key: int, order_key: int, parts: list[Part]) -> None:
    connection.executemany("INSERT INTO invoice_lines VALUES (?, ?, ?, ?, ?, ?)", [(key, *part) for part in parts])
    connection.executemany(
        """UPDATE sales_order_lines SET invoiced = invoiced + ?, invoiced_net = invoiced_net + ?
        WHERE sales_order = ? AND line_no = ?""",
        [(quantity, net, order_key, line_no) for line_no, _, quantity, net, _ in parts],
    )


def _close_order(connection: sqlite3.Connection, order: sqlite3.Row, billed: int) -> None:
    sql = "SELECT 1 FROM sales_order_lines WHERE sales_order = ? AND invoiced < quantity"
    done = connection.execute(sql, (order["key"],)).fetchone() is None
    left = 0 if done else order["uninvoiced"] - billed
    status = "invoiced" if done else "posted"
    connection.execute("UPDATE sales_orders SET status = ?, uninvoiced = ? WHERE key = ?", (status, left, order["key"]))
    if not order["prepaid"]:
        customers.owe(connection, order["account_id"], left - order["uninvoiced"])


def _paid_already(connection: sqlite3.Connection, key: int, payment: InvoicePayment, reference: str) -> bool:
    row: Any = connection.execute("SELECT * FROM invoice_payments WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        return False
    if row["invoice"] != key or row["fingerprint"] != fingerprint(payment):
        raise ReferenceTaken(reference=reference, record_id=number("INV", row["invoice"]))
    return True


def _invoice(connection: sqlite3.Connection, row: sqlite3.Row) -> Invoice:
    currency = row["currency"]
    lines = connection.execute("SELECT * FROM invoice_lines WHERE invoice = ? ORDER BY line_no", (row["key"],))
    return Invoice(
        invoice_id=number("INV", row["key"]),
        reference=row["reference"],
        sales_order_id=number("SO", row["sales_order"]),
        account_id=row["account_id"],
        status=row["status"],
        lines=tuple(
            InvoiceLine(
                line_no=line["line_no"],
                sku=line["sku"],
                quantity=line["quantity"],
                net=Money(line["net"], currency),
                tax_rate_bp=line["tax_rate_bp"],
            )
            for line in lines
        ),
        net=Money(row["net"], currency),
        tax=Money(row["tax"], currency),
        total=Money(row["total"], currency),
        paid=Money(row["paid"], currency),
        credited=Money(row["credited"], currency) if row["credited"] else None,
        issued_at=instant(row["issued_at"]),
        due_on=instant(row["due_on"]).date(),
    )
