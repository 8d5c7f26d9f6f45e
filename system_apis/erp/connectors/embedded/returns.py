"""Returns: authorised against what was invoiced, credited when the goods are back in stock."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Allocation, Return
from system_apis.canonical.refusals import QuantityExceeded, Tombstoned, WrongState
from system_apis.canonical.values import Money
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import credit_memos, invoices
from system_apis.erp.connectors.embedded.journal import (
    instant,
    key_of,
    number,
    refuse_undone,
    selection,
    stamp,
    stored,
)
from system_apis.erp.connectors.embedded.totals import part_of, tax_on
from system_apis.erp.documents import NewReturn
from system_apis.erp.port import DocumentFilter

KIND = "return"


def create(connection: sqlite3.Connection, request: NewReturn, reference: str, now: datetime) -> Return:
    """Authorise the return; its quantities and its credit are taken from the order's lines at once.

    Raises:
        NotFound, WrongState, QuantityExceeded, ReferenceTaken, Tombstoned
    """
    refuse_undone(connection, KIND, reference, request.account_id)
    stored_key = stored(connection, "returns", "RET", reference, request)
    if stored_key is not None:
        found = by_key(connection, stored_key)
        if found.status == "cancelled":
            raise Tombstoned(reference=reference)
        return found
    order = invoices.open_order(connection, request.sales_order_id, request.account_id)
    if not connection.execute("SELECT 1 FROM invoices WHERE sales_order = ?", (order["key"],)).fetchone():
        raise WrongState(record_id=request.sales_order_id, state=order["status"], needs="invoiced")
    for line in request.lines:
        if not connection.execute("SELECT 1 FROM sites WHERE warehouse = ?", (line.warehouse,)).fetchone():
            raise NotFound()
    net = sum(_take_back(connection, order["key"], line.sku, line.quantity) for line in request.lines)
    tax = tax_now(connection, order["key"])
    key = connection.execute(
        """INSERT INTO returns (reference, fingerprint, sales_order, account_id, reason, status, credit, credit_tax,
        created_at) VALUES (?, ?, ?, ?, ?, 'authorised', ?, ?, ?)""",
        (reference, fingerprint(request), order["key"], request.account_id, request.reason, net + tax, tax, stamp(now)),
    ).lastrowid
    for position, line in enumerate(request.lines):
        values = (key, position, line.sku, line.warehouse, line.quantity)
        connection.execute("INSERT INTO return_lines VALUES (?, ?, ?, ?, ?)", values)
    return by_key(connection, int(key or 0))


def receive(connection: sqlite3.Connection, return_id: str, account_id: str) -> Return:
    """Put the goods into stock and credit the order's invoices, once; ``NotFound`` for another account."""
    found = get(connection, return_id)
    if found.account_id != account_id:
        raise NotFound()
    if found.status != "authorised":
        return found
    key = key_of("RET", return_id)
    for line in found.lines:
        put_into_stock(connection, line.sku, line.warehouse, line.quantity)
    rest = invoices.credit(connection, key_of("SO", found.sales_order_id), found.credit.amount_minor)
    connection.execute("UPDATE returns SET status = 'credited', credit = credit - ? WHERE key = ?", (rest, key))
    return by_key(connection, key)


def put_into_stock(connection: sqlite3.Connection, sku: str, warehouse: str, quantity: int) -> None:
    """Add units to what is on hand in a warehouse."""
    connection.execute(
        """INSERT INTO stock (sku, warehouse, on_hand) VALUES (?, ?, ?)
        ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = on_hand + excluded.on_hand""",
        (sku, warehouse, quantity),
    )


def by_key(connection: sqlite3.Connection, key: int) -> Return:
    """The return, or ``NotFound``."""
    row = connection.execute(f"{SELECT} WHERE r.key = ?", (key,)).fetchone()
    if row is None:
        raise NotFound()
    return _return(connection, row)


def get(connection: sqlite3.Connection, return_id: str) -> Return:
    """The return of this number, or ``NotFound``."""
    return by_key(connection, key_of("RET", return_id))


def search(
    connection: sqlite3.Connection, which: DocumentFilter, after: int, limit: int
) -> tuple[tuple[int, Return], ...]:
    """Returns with their key, by rising key."""
    order = None if which.sales_order_id is None else key_of("SO", which.sales_order_id)
    rest, values = selection(which, after, limit, order)
    keys = [row["key"] for row in connection.execute(f"SELECT key FROM returns {rest}", values)]
    return tuple((key, by_key(connection, key)) for key in keys)


SELECT = """SELECT r.*, o.currency, r.key IN (SELECT return_key FROM cancelled_returns) AS cancelled,
r.key IN (SELECT return_key FROM return_inspections) AS inspected FROM returns r JOIN sales_orders o ON o.key = r.sales_order"""


def _take_back(connection: sqlite3.Connection, order_key: int, sku: str, quantity: int) -> int:
    """Mark the units as returned on the order's lines of this SKU; what they were sold for, in minor units."""
    sql = "SELECT * FROM sales_order_lines WHERE sales_order = ? AND sku = ? ORDER BY line_no"
    rows = connection.execute(sql, (order_key, sku)).fetchall()
    kept = {
        row["line_no"]: max(
            0, row["invoiced"] - row["returned"] - credit_memos.units_credited(connection, order_key, row["line_no"])
        )
        for row in rows
    }
    remaining = sum(kept.values())
    if quantity > remaining:
        raise QuantityExceeded(sku=sku, remaining=remaining, requested=quantity)
    credit = 0
    for row in rows:
        part = min(quantity, kept[row["line_no"]])
        net = part_of(row["net"], row["quantity"], row["returned"], row["returned_net"], part)
        connection.execute(
            """UPDATE sales_order_lines SET returned = returned + ?, returned_net = returned_net + ?
            WHERE sales_order = ? AND line_no = ?""",
            (part, net, order_key, row["line_no"]),
        )
        credit, quantity = credit + net, quantity - part
    return credit


def tax_now(connection: sqlite3.Connection, order_key: int) -> int:
    """The tax on everything returned of an order that no return has to its credit yet, in minor units."""
    sql = "SELECT returned_net, tax_rate_bp FROM sales_order_lines WHERE sales_order = ?"
    so_far = tax_on((row["returned_net"], row["tax_rate_bp"]) for row in connection.execute(sql, (order_key,)))
    sql = "SELECT coalesce(sum(credit_tax), 0) FROM returns WHERE sales_order = ?"
    return so_far - int(connection.execute(sql, (order_key,)).fetchone()[0])


def _return(connection: sqlite3.Connection, row: sqlite3.Row) -> Return:
    # Once inspected, a return is what was accepted; the rest went back to its order.
    table = "accepted_lines" if row["inspected"] else "return_lines"
    lines = connection.execute(f"SELECT * FROM {table} WHERE return_key = ? ORDER BY position", (row["key"],))
    memos = connection.execute(
        "SELECT credit_memo FROM return_credits WHERE return_key = ? ORDER BY credit_memo", (row["key"],)
    )
    return Return(
        return_id=number("RET", row["key"]),
        reference=row["reference"],
        sales_order_id=number("SO", row["sales_order"]),
        account_id=row["account_id"],
        lines=tuple(
            Allocation(sku=line["sku"], warehouse=line["warehouse"], quantity=line["quantity"]) for line in lines
        ),
        reason=row["reason"],
        status="cancelled" if row["cancelled"] else row["status"],
        credit=Money(row["credit"], row["currency"]),
        created_at=instant(row["created_at"]),
        credit_memo_ids=tuple(number("CM", memo["credit_memo"]) for memo in memos),
    )
