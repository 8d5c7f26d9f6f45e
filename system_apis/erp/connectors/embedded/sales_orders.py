"""Sales orders: posted against credit in one transaction, cancelled by their reference."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from governance.contract.problems import NotFound
from system_apis.canonical.entities import CreditStatus, SalesOrder, SalesOrderLine
from system_apis.canonical.refusals import AccountOnHold, CreditLimitExceeded, CurrencyMismatch, WrongState
from system_apis.canonical.values import AMOUNT_LIMIT, Address, Money, UnitPrice
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import products
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
from system_apis.erp.connectors.embedded.totals import tax_on
from system_apis.erp.documents import NewSalesOrder
from system_apis.erp.port import DocumentFilter

KIND = "sales_order"


def post(connection: sqlite3.Connection, order: NewSalesOrder, reference: str, now: datetime) -> SalesOrder:
    """Post the order and take its total from the account's headroom, unless it is prepaid.

    Raises:
        UnknownAccount, AccountOnHold, CurrencyMismatch, UnknownProduct, CreditLimitExceeded, ReferenceTaken, Tombstoned
    """
    key = stored(connection, "sales_orders", "SO", reference, order)
    if key is not None:
        return by_key(connection, key)
    refuse_undone(connection, KIND, reference, order.account_id)
    net = sum(line.net.amount_minor for line in order.lines)
    tax = tax_on((line.net.amount_minor, line.tax_rate_bp) for line in order.lines)
    credit = customers.credit(connection, order.account_id)
    _admit(order, credit, net + tax)
    products.unknown_among(connection, tuple(line.sku for line in order.lines))
    key = connection.execute(
        """INSERT INTO sales_orders (reference, fingerprint, account_id, status, currency, net, tax, total, uninvoiced,
        prepaid, ship_to, customer_reference, posted_at) VALUES (?, ?, ?, 'posted', ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            reference, fingerprint(order), order.account_id, order.currency, net, tax, net + tax, net + tax,
            int(order.prepaid), msgspec.json.encode(order.ship_to).decode(), order.customer_reference, stamp(now),
        ),
    ).lastrowid  # fmt: skip
    _insert_lines(connection, int(key or 0), order)
    if not order.prepaid:
        customers.owe(connection, order.account_id, net + tax)
    return by_key(connection, int(key or 0))


def cancel(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> SalesOrder | None:
    """Cancel the order and give its credit back; None when there was none, whose reference is then barred.

    Raises:
        NotFound: it belongs to another account.
        WrongState: something of it was invoiced.
    """
    row = connection.execute("SELECT * FROM sales_orders WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        leave_tombstone(connection, KIND, reference, account_id, now)
        return None
    if row["account_id"] != account_id:
        raise NotFound()
    if row["status"] == "posted":
        if row["uninvoiced"] != row["total"] or _has_invoice(connection, row["key"]):
            raise WrongState(record_id=number("SO", row["key"]), state="partly invoiced", needs="posted")
        sql = "UPDATE sales_orders SET status = 'cancelled', uninvoiced = 0 WHERE key = ?"
        connection.execute(sql, (row["key"],))
        if not row["prepaid"]:
            customers.owe(connection, account_id, -row["uninvoiced"])
    elif row["status"] == "invoiced":
        raise WrongState(record_id=number("SO", row["key"]), state="invoiced", needs="posted")
    return by_key(connection, row["key"])


def close(connection: sqlite3.Connection, sales_order_id: str, account_id: str) -> SalesOrder:
    """Cut the order down to what was invoiced of it, and give the credit of the rest back; once.

    An order of which nothing was invoiced is cancelled. Raises ``NotFound``.
    """
    key = key_of("SO", sales_order_id)
    row = connection.execute("SELECT * FROM sales_orders WHERE key = ?", (key,)).fetchone()
    if row is None or row["account_id"] != account_id:
        raise NotFound()
    if row["status"] != "posted":
        return by_key(connection, key)
    sql = "SELECT count(*) AS count, coalesce(sum(net), 0) AS net, coalesce(sum(tax), 0) AS tax FROM invoices"
    billed = connection.execute(f"{sql} WHERE sales_order = ?", (key,)).fetchone()
    if billed["count"]:
        connection.execute("DELETE FROM sales_order_lines WHERE sales_order = ? AND invoiced = 0", (key,))
        sql = "UPDATE sales_order_lines SET quantity = invoiced, net = invoiced_net WHERE sales_order = ?"
        connection.execute(sql, (key,))
        sql = "UPDATE sales_orders SET status = 'invoiced', net = ?, tax = ?, total = ?, uninvoiced = 0 WHERE key = ?"
        connection.execute(sql, (billed["net"], billed["tax"], billed["net"] + billed["tax"], key))
    else:
        connection.execute("UPDATE sales_orders SET status = 'cancelled', uninvoiced = 0 WHERE key = ?", (key,))
    if not row["prepaid"]:
        customers.owe(connection, account_id, -row["uninvoiced"])
    return by_key(connection, key)


def by_key(connection: sqlite3.Connection, key: int) -> SalesOrder:
    """The order, or ``NotFound``."""
    row = connection.execute("SELECT * FROM sales_orders WHERE key = ?", (key,)).fetchone()
    if row is None:
        raise NotFound()
    return _order(connection, row)


def get(connection: sqlite3.Connection, sales_order_id: str) -> SalesOrder:
    """The order of this number, or ``NotFound``."""
    return by_key(connection, key_of("SO", sales_order_id))


def search(
    connection: sqlite3.Connection, which: DocumentFilter, after: int, limit: int
) -> tuple[tuple[int, SalesOrder], ...]:
    """Orders with their key, by rising key."""
    rest, values = selection(which, after, limit, None)
    rows = connection.execute(f"SELECT * FROM sales_orders {rest}", values).fetchall()
    return tuple((row["key"], _order(connection, row)) for row in rows)


def _admit(order: NewSalesOrder, credit: CreditStatus, total: int) -> None:
    if credit.on_hold:
        raise AccountOnHold(account_id=order.account_id)
    currency = credit.exposure.currency
    if order.currency != currency:
        raise CurrencyMismatch(expected=currency, given=order.currency)
    headroom = credit.headroom or Money(AMOUNT_LIMIT, currency) - credit.exposure
    if not order.prepaid and total > headroom.amount_minor:
        raise CreditLimitExceeded(account_id=order.account_id, headroom=headroom, required=Money(total, currency))


def _insert_lines(connection: sqlite3.Connection, key: int, order: NewSalesOrder) -> None:
    connection.executemany(
        """INSERT INTO sales_order_lines
        (sales_order, line_no, sku, quantity, price, per, discount_bp, net, tax_rate_bp)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)""",
        [
            (
                key, line_no, line.sku, line.quantity, line.unit_price.amount.amount_minor, line.unit_price.per,
                line.discount_bp, line.net.amount_minor, line.tax_rate_bp,
            )
            for line_no, line in enumerate(order.lines, start=1)
        ],
    )  # fmt: skip


def _has_invoice(connection: sqlite3.Connection, key: int) -> bool:
    return connection.execute("SELECT 1 FROM invoices WHERE sales_order = ?", (key,)).fetchone() is not None


def _order(connection: sqlite3.Connection, row: sqlite3.Row) -> SalesOrder:
    currency = row["currency"]
    sql = "SELECT * FROM sales_order_lines WHERE sales_order = ? ORDER BY line_no"
    return SalesOrder(
        sales_order_id=number("SO", row["key"]),
        reference=row["reference"],
        account_id=row["account_id"],
        status=row["status"],
        currency=currency,
        lines=tuple(_line(line, currency) for line in connection.execute(sql, (row["key"],))),
        net=Money(row["net"], currency),
        tax=Money(row["tax"], currency),
        total=Money(row["total"], currency),
        ship_to=msgspec.json.decode(row["ship_to"], type=Address),
        customer_reference=row["customer_reference"],
        posted_at=instant(row["posted_at"]),
    )


def _line(row: sqlite3.Row, currency: str) -> SalesOrderLine:
    return SalesOrderLine(
        line_no=row["line_no"],
        sku=row["sku"],
        quantity=row["quantity"],
        unit_price=UnitPrice(Money(row["price"], currency), row["per"]),
        discount_bp=row["discount_bp"],
        net=Money(row["net"], currency),
        tax_rate_bp=row["tax_rate_bp"],
    )
