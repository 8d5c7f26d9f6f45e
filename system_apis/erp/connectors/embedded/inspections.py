"""What becomes of returned goods: a return is inspected line by line, credited for what was accepted, or cancelled.

Inspection and cancelling give back what was authorised and did not come or was not accepted, so that it can
be returned under another number. Stock, quantities and credit change in one transaction.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Return
from system_apis.canonical.refusals import QuantityExceeded, ReferenceTaken, WrongState
from system_apis.canonical.values import Money
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import credit_memos, returns
from system_apis.erp.connectors.embedded.journal import key_of, leave_tombstone, number, stamp
from system_apis.erp.connectors.embedded.totals import part_of
from system_apis.erp.documents import ReturnInspection
from system_apis.erp.receivables import NewCreditMemo

SCHEMA = """
CREATE TABLE IF NOT EXISTS return_inspections (
    return_key INTEGER PRIMARY KEY REFERENCES returns, reference TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS inspected_lines (
    return_key INTEGER NOT NULL REFERENCES returns, position INTEGER NOT NULL, sku TEXT NOT NULL,
    warehouse TEXT NOT NULL REFERENCES sites, restocked INTEGER NOT NULL CHECK (restocked >= 0),
    scrapped INTEGER NOT NULL CHECK (scrapped >= 0), PRIMARY KEY (return_key, position)
) STRICT, WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS accepted_lines AS SELECT return_key, position, sku, warehouse, restocked + scrapped AS quantity
FROM inspected_lines WHERE restocked + scrapped > 0;
CREATE TABLE IF NOT EXISTS return_credits (
    return_key INTEGER NOT NULL REFERENCES returns, credit_memo INTEGER NOT NULL,
    PRIMARY KEY (return_key, credit_memo)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cancelled_returns (return_key INTEGER PRIMARY KEY REFERENCES returns, at TEXT NOT NULL) STRICT;
"""


def inspect(
    connection: sqlite3.Connection, return_id: str, inspection: ReturnInspection, reference: str, now: datetime
) -> Return:
    """Post what was accepted: restocked units into stock, all of them to the credit; the rest is given back.

    Raises:
        NotFound: there is no such return of this account, or no such warehouse.
        WrongState: it is cancelled, credited, or inspected already with another result.
        QuantityExceeded: more was accepted than was authorised.
        ReferenceTaken: the reference stands for another inspection.
    """
    found = returns.get(connection, return_id)
    if found.account_id != inspection.account_id:
        raise NotFound()
    key = key_of("RET", return_id)
    if _inspected_already(connection, key, inspection, reference):
        return found
    if found.status != "authorised":
        raise WrongState(record_id=return_id, state=found.status, needs="authorised")
    authorised, accepted = _per_sku(found), _accepted(inspection)
    for sku, quantity in accepted.items():
        if quantity > authorised.get(sku, 0):
            raise QuantityExceeded(sku=sku, remaining=authorised.get(sku, 0), requested=quantity)
    digest = fingerprint(inspection)
    connection.execute("INSERT INTO return_inspections VALUES (?, ?, ?, ?)", (key, reference, digest, stamp(now)))
    for position, line in enumerate(inspection.lines):
        _post(connection, key, position, line.sku, line.warehouse, line.restocked, line.scrapped)
    _give_back(connection, key, {sku: units - accepted.get(sku, 0) for sku, units in authorised.items()})
    connection.execute("UPDATE returns SET status = 'received' WHERE key = ?", (key,))
    return returns.by_key(connection, key)


def credit(connection: sqlite3.Connection, return_id: str, account_id: str, now: datetime) -> Return:
    """Credit the order's invoices for what was accepted, once, by a credit memo for each of them.

    None takes more than is left of it, so the return is worth what they took.

    Raises:
        NotFound: there is no such return of this account.
        WrongState: it was not inspected yet, or is cancelled.
    """
    found = returns.get(connection, return_id)
    if found.account_id != account_id:
        raise NotFound()
    if found.status == "credited":
        return found
    if found.status != "received":
        raise WrongState(record_id=return_id, state=found.status, needs="received")
    key = key_of("RET", return_id)
    credited = _post_credit_memos(connection, key, found, now)
    connection.execute("UPDATE returns SET status = 'credited', credit = ? WHERE key = ?", (credited, key))
    return returns.by_key(connection, key)


def cancel(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> Return | None:
    """Give back what the return took from its order; None when there was none, whose reference is then barred.

    Raises:
        NotFound: it belongs to another account.
        WrongState: goods of it were inspected already.
    """
    row = connection.execute("SELECT * FROM returns WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        leave_tombstone(connection, returns.KIND, reference, account_id, now)
        return None
    if row["account_id"] != account_id:
        raise NotFound()
    found = returns.by_key(connection, row["key"])
    if found.status == "cancelled":
        return found
    if found.status != "authorised":
        raise WrongState(record_id=found.return_id, state=found.status, needs="authorised")
    _give_back(connection, row["key"], _per_sku(found))
    connection.execute("INSERT INTO cancelled_returns VALUES (?, ?)", (row["key"], stamp(now)))
    return returns.by_key(connection, row["key"])


def find(connection: sqlite3.Connection, reference: str) -> Return | None:
    """The return that was inspected under ``reference``."""
    sql = "SELECT return_key FROM return_inspections WHERE reference = ?"
    row = connection.execute(sql, (reference,)).fetchone()
    return None if row is None else returns.by_key(connection, row["return_key"])


def _inspected_already(connection: sqlite3.Connection, key: int, inspection: ReturnInspection, reference: str) -> bool:
    row = connection.execute("SELECT * FROM return_inspections WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        return False
    if row["return_key"] != key or row["fingerprint"] != fingerprint(inspection):
        raise ReferenceTaken(reference=reference, record_id=number("RET", row["return_key"]))
    return True


def _post(
    connection: sqlite3.Connection, key: int, position: int, sku: str, warehouse: str, restocked: int, scrapped: int
) -> None:
    if not connection.execute("SELECT 1 FROM sites WHERE warehouse = ?", (warehouse,)).fetchone():
        raise NotFound()
    values = (key, position, sku, warehouse, restocked, scrapped)
    connection.execute("INSERT INTO inspected_lines VALUES (?, ?, ?, ?, ?, ?)", values)
    if restocked:
        returns.put_into_stock(connection, sku, warehouse, restocked)


def _post_credit_memos(connection: sqlite3.Connection, key: int, found: Return, now: datetime) -> int:
    """Credit the order's invoices, oldest first, each up to what is left of it; what they took, in minor units."""
    amount = found.credit.amount_minor
    sql = "SELECT key, total - credited AS open FROM invoices WHERE sales_order = ? ORDER BY key"
    for row in connection.execute(sql, (key_of("SO", found.sales_order_id),)).fetchall():
        part = min(amount, row["open"])
        if part == 0:
            continue
        memo = NewCreditMemo(
            account_id=found.account_id,
            invoice_id=number("INV", row["key"]),
            amount=Money(part, found.credit.currency),
            reason=f"Return {found.return_id}",
        )
        posted = credit_memos.post(connection, memo, f"{found.return_id}/{memo.invoice_id}", now)
        values = (key, key_of("CM", posted.credit_memo_id))
        connection.execute("INSERT INTO return_credits VALUES (?, ?)", values)
        amount -= part
    return found.credit.amount_minor - amount


def _per_sku(found: Return) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in found.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    return units


def _accepted(inspection: ReturnInspection) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in inspection.lines:
        units[line.sku] = units.get(line.sku, 0) + line.restocked + line.scrapped
    return units


def _give_back(connection: sqlite3.Connection, key: int, units: dict[str, int]) -> None:
    """Take units off what the order's lines have as returned, and their worth off the return's credit."""
    row = connection.execute("SELECT * FROM returns WHERE key = ?", (key,)).fetchone()
    order = row["sales_order"]
    less = sum(_untake(connection, order, sku, quantity) for sku, quantity in units.items() if quantity)
    net = row["credit"] - row["credit_tax"] - less
    connection.execute("UPDATE returns SET credit = 0, credit_tax = 0 WHERE key = ?", (key,))
    tax = max(0, returns.tax_now(connection, order)) if net else 0
    connection.execute("UPDATE returns SET credit = ?, credit_tax = ? WHERE key = ?", (net + tax, tax, key))


def _untake(connection: sqlite3.Connection, order_key: int, sku: str, quantity: int) -> int:
    less = 0
    sql = "SELECT * FROM sales_order_lines WHERE sales_order = ? AND sku = ? ORDER BY line_no DESC"
    for row in connection.execute(sql, (order_key, sku)).fetchall():
        part = min(quantity, row["returned"])
        net = part_of(row["net"], row["quantity"], row["returned"], row["returned_net"], -part)
        connection.execute(
            """UPDATE sales_order_lines SET returned = returned - ?, returned_net = returned_net + ?
            WHERE sales_order = ? AND line_no = ?""",
            (part, net, order_key, row["line_no"]),
        )
        less, quantity = less - net, quantity - part
    return less
