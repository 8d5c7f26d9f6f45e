"""Credit memos: posted against one invoice, never above what is left of it, cancelled by their reference.

Units are credited at what they were invoiced at, rounded on what is credited of the line so far, so that all
credits of a line together are exactly the line; tax is per rate on the sum. An amount is split into net and tax
as the invoice is. Quantities count beside returns: a unit that came back can't be credited again.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from governance.contract.problems import NotFound
from system_apis.canonical.refusals import AmountExceeded, CurrencyMismatch, QuantityExceeded
from system_apis.canonical.values import Money, half_up
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import invoices
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
from system_apis.erp.connectors.embedded.totals import part_of, tax_on
from system_apis.erp.port import DocumentFilter
from system_apis.erp.receivables import CreditMemo, CreditMemoLine, NewCreditMemo

KIND = "credit_memo"
SCHEMA = """
CREATE TABLE IF NOT EXISTS credit_memos (
    key INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    invoice INTEGER NOT NULL REFERENCES invoices, sales_order INTEGER NOT NULL REFERENCES sales_orders,
    account_id TEXT NOT NULL REFERENCES terms, status TEXT NOT NULL CHECK (status IN ('posted', 'cancelled')),
    net INTEGER NOT NULL, tax INTEGER NOT NULL, total INTEGER NOT NULL CHECK (total > 0),
    to_refund INTEGER NOT NULL CHECK (to_refund BETWEEN 0 AND total), reason TEXT NOT NULL, posted_at TEXT NOT NULL,
    CHECK (net + tax = total)
) STRICT;
CREATE INDEX IF NOT EXISTS credit_memos_of ON credit_memos (account_id, key);
CREATE INDEX IF NOT EXISTS credit_memos_of_invoice ON credit_memos (invoice, key);
CREATE TABLE IF NOT EXISTS credit_memo_lines (
    credit_memo INTEGER NOT NULL REFERENCES credit_memos, line_no INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0), net INTEGER NOT NULL, PRIMARY KEY (credit_memo, line_no)
) STRICT, WITHOUT ROWID;
"""
CREDITED = """SELECT coalesce(sum(l.quantity), 0) AS quantity, coalesce(sum(l.net), 0) AS net
FROM credit_memo_lines l JOIN credit_memos m ON m.key = l.credit_memo
WHERE m.status = 'posted' AND l.line_no = ?"""
BY_LINE = """SELECT l.*, i.sku, i.tax_rate_bp FROM credit_memo_lines l JOIN invoice_lines i ON i.invoice = ?
AND i.line_no = l.line_no"""

Part = tuple[int, int, int, int]
"""Line number, quantity, net in minor units, tax rate in basis points."""


def post(connection: sqlite3.Connection, request: NewCreditMemo, reference: str, now: datetime) -> CreditMemo:
    """Credit the invoice, once per reference.

    Raises:
        NotFound, AmountExceeded, QuantityExceeded, CurrencyMismatch, ReferenceTaken, Tombstoned
    """
    known = stored(connection, "credit_memos", "CM", reference, request)
    if known is not None:
        return by_key(connection, known)
    refuse_undone(connection, KIND, reference, request.account_id)
    invoice = _invoice(connection, request)
    parts = _parts(connection, invoice, request)
    net, tax = _worth(connection, invoice, request, parts)
    left = invoice["total"] - invoice["credited"]
    if not 0 < net + tax <= left:
        currency = invoice["currency"]
        raise AmountExceeded(remaining=Money(left, currency), requested=Money(net + tax, currency))
    key = _insert(connection, invoice, request, reference, net, tax, now)
    connection.executemany(
        "INSERT INTO credit_memo_lines VALUES (?, ?, ?, ?)",
        [(key, line_no, quantity, part_net) for line_no, quantity, part_net, _ in parts],
    )
    connection.execute("UPDATE invoices SET credited = credited + ? WHERE key = ?", (net + tax, invoice["key"]))
    invoices.settle(connection, invoice["key"])
    return by_key(connection, key)


def cancel(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> CreditMemo | None:
    """Take the credit back; None when there was none, whose reference is then barred. Raises ``NotFound``."""
    row = connection.execute("SELECT * FROM credit_memos WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        leave_tombstone(connection, KIND, reference, account_id, now)
        return None
    if row["account_id"] != account_id:
        raise NotFound()
    if row["status"] == "posted":
        connection.execute("UPDATE credit_memos SET status = 'cancelled' WHERE key = ?", (row["key"],))
        connection.execute("UPDATE invoices SET credited = credited - ? WHERE key = ?", (row["total"], row["invoice"]))
        invoices.settle(connection, row["invoice"])
    return by_key(connection, row["key"])


def units_credited(connection: sqlite3.Connection, order_key: int, line_no: int) -> int:
    """How many units of an order's line were credited without coming back, over all its invoices."""
    row = connection.execute(f"{CREDITED} AND m.sales_order = ?", (line_no, order_key)).fetchone()
    return int(row["quantity"])


def by_key(connection: sqlite3.Connection, key: int) -> CreditMemo:
    """The credit memo, or ``NotFound``."""
    sql = "SELECT m.*, i.currency FROM credit_memos m JOIN invoices i ON i.key = m.invoice WHERE m.key = ?"
    row = connection.execute(sql, (key,)).fetchone()
    if row is None:
        raise NotFound()
    currency = row["currency"]
    lines = connection.execute(f"{BY_LINE} WHERE l.credit_memo = ? ORDER BY l.line_no", (row["invoice"], key))
    return CreditMemo(
        credit_memo_id=number("CM", key),
        reference=row["reference"],
        account_id=row["account_id"],
        invoice_id=number("INV", row["invoice"]),
        sales_order_id=number("SO", row["sales_order"]),
        status=row["status"],
        lines=tuple(
            CreditMemoLine(
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
        to_refund=Money(row["to_refund"], currency),
        reason=row["reason"],
        posted_at=instant(row["posted_at"]),
    )


def get(connection: sqlite3.Connection, credit_memo_id: str) -> CreditMemo:
    """The credit memo of this number, or ``NotFound``."""
    return by_key(connection, key_of("CM", credit_memo_id))


def search(
    connection: sqlite3.Connection, which: DocumentFilter, invoice_id: str | None, after: int, limit: int
) -> tuple[tuple[int, CreditMemo], ...]:
    """Credit memos with their key, by rising key."""
    order = None if which.sales_order_id is None else key_of("SO", which.sales_order_id)
    rest, values = selection(which, after, limit, order)
    if invoice_id is not None:
        rest, values = f"WHERE invoice = ? AND {rest.removeprefix('WHERE ')}", [key_of("INV", invoice_id), *values]
    keys = [row["key"] for row in connection.execute(f"SELECT key FROM credit_memos {rest}", values)]
    return tuple((key, by_key(connection, key)) for key in keys)


def _invoice(connection: sqlite3.Connection, request: NewCreditMemo) -> sqlite3.Row:
    key = key_of("INV", request.invoice_id)
    row: sqlite3.Row | None = connection.execute("SELECT * FROM invoices WHERE key = ?", (key,)).fetchone()
    if row is None or row["account_id"] != request.account_id:
        raise NotFound()
    if request.amount is not None and request.amount.currency != row["currency"]:
        raise CurrencyMismatch(expected=row["currency"], given=request.amount.currency)
    return row


def _parts(connection: sqlite3.Connection, invoice: sqlite3.Row, request: NewCreditMemo) -> list[Part]:
    asked: dict[int, int] = {}
    for line in request.lines or ():
        asked[line.line_no] = asked.get(line.line_no, 0) + line.quantity
    return [_part(connection, invoice, line_no, quantity) for line_no, quantity in sorted(asked.items())]


def _part(connection: sqlite3.Connection, invoice: sqlite3.Row, line_no: int, quantity: int) -> Part:
    sql = "SELECT * FROM invoice_lines WHERE invoice = ? AND line_no = ?"
    line = connection.execute(sql, (invoice["key"], line_no)).fetchone()
    if line is None:
        raise NotFound()
    done = connection.execute(f"{CREDITED} AND m.invoice = ?", (line_no, invoice["key"])).fetchone()
    sql = "SELECT invoiced - returned AS kept FROM sales_order_lines WHERE sales_order = ? AND line_no = ?"
    kept = connection.execute(sql, (invoice["sales_order"], line_no)).fetchone()["kept"]
    kept -= units_credited(connection, invoice["sales_order"], line_no)
    remaining = max(0, min(line["quantity"] - done["quantity"], kept))
    if quantity > remaining:
        raise QuantityExceeded(sku=line["sku"], remaining=remaining, requested=quantity)
    net = part_of(line["net"], line["quantity"], done["quantity"], done["net"], quantity)
    return line_no, quantity, net, line["tax_rate_bp"]


def _worth(
    connection: sqlite3.Connection, invoice: sqlite3.Row, request: NewCreditMemo, parts: list[Part]
) -> tuple[int, int]:
    """Net and tax of the credit, in minor units."""
    if request.lines is None:
        left = invoice["total"] - invoice["credited"]
        gross = left if request.amount is None else request.amount.amount_minor
        whole, before = max(1, invoice["total"]), invoice["credited"]
        tax = half_up(invoice["tax"] * (before + gross), whole) - half_up(invoice["tax"] * before, whole)
        return gross - tax, tax
    sql = f"""{BY_LINE} JOIN credit_memos m ON m.key = l.credit_memo WHERE m.invoice = ? AND m.status = 'posted'"""
    before_now = connection.execute(sql, (invoice["key"], invoice["key"])).fetchall()
    so_far = [(row["net"], row["tax_rate_bp"]) for row in before_now]
    tax = tax_on([*so_far, *((net, rate_bp) for _, _, net, rate_bp in parts)]) - tax_on(so_far)
    return sum(part[2] for part in parts), tax


def _insert(
    connection: sqlite3.Connection,
    invoice: sqlite3.Row,
    request: NewCreditMemo,
    reference: str,
    net: int,
    tax: int,
    now: datetime,
) -> int:
    surplus = invoice["paid"] + invoice["credited"] - invoice["total"]
    to_refund = max(0, surplus + net + tax) - max(0, surplus)
    key = connection.execute(
        """INSERT INTO credit_memos (reference, fingerprint, invoice, sales_order, account_id, status, net, tax, total,
        to_refund, reason, posted_at) VALUES (?, ?, ?, ?, ?, 'posted', ?, ?, ?, ?, ?, ?)""",
        (
            reference, fingerprint(request), invoice["key"], invoice["sales_order"], request.account_id, net, tax,
            net + tax, to_refund, request.reason, stamp(now),
        ),
    ).lastrowid  # fmt: skip
    return int(key or 0)
