"""Reservations: stock set aside under a reference until released, consumed or expired."""

from __future__ import annotations

import sqlite3
from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Allocation, Reservation
from system_apis.canonical.refusals import InsufficientStock, WrongState
from system_apis.embedded import fingerprint
from system_apis.erp.connectors.embedded import parts, products, stock
from system_apis.erp.connectors.embedded.allocation import allocate
from system_apis.erp.connectors.embedded.journal import (
    instant,
    leave_tombstone,
    number,
    refuse_undone,
    stamp,
    stored,
)
from system_apis.erp.connectors.embedded.routing import routed
from system_apis.erp.documents import NewReservation, ReservationPart

KIND = "reservation"


def reserve(connection: sqlite3.Connection, request: NewReservation, reference: str, now: datetime) -> Reservation:
    """Set the stock aside, all of it or nothing.

    Raises:
        UnknownProduct, InsufficientStock, ReferenceTaken, Tombstoned
    """
    if stored(connection, "reservations", "RSV", reference, request) is not None:
        return _existing(connection, reference, now)
    refuse_undone(connection, KIND, reference, request.account_id)
    needs: Counter[str] = Counter()
    for line in request.lines:
        needs[line.sku] += line.quantity
    products.unknown_among(connection, tuple(needs))
    stock.expire_overdue(connection, now)
    sites = stock.sites_with(connection, tuple(needs))
    chosen = (
        routed(request, dict(needs), sites) if request.routed else allocate(dict(needs), sites, request.ship_country)
    )
    key = connection.execute(
        """INSERT INTO reservations (reference, fingerprint, account_id, status, expires_at)
        VALUES (?, ?, ?, 'held', ?)""",
        (reference, fingerprint(request), request.account_id, stamp(now + timedelta(seconds=request.expires_in_s))),
    ).lastrowid
    for position, part in enumerate(chosen):
        stock.move(connection, part.sku, part.warehouse, 0, part.quantity)
        values = (key, position, part.sku, part.warehouse, part.quantity)
        connection.execute("INSERT INTO allocations VALUES (?, ?, ?, ?, ?)", values)
    return _existing(connection, reference, now)


def release(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> Reservation | None:
    """Give the stock back; None when there was no such reservation, whose reference is then barred.

    Raises:
        NotFound: it belongs to another account.
        WrongState: the goods were issued.
    """
    found = find(connection, reference, now)
    if found is None:
        leave_tombstone(connection, KIND, reference, account_id, now)
        return None
    if found.account_id != account_id:
        raise NotFound()
    if found.status == "consumed":
        raise WrongState(record_id=found.reservation_id, state=found.status, needs="held")
    stock.expire_overdue(connection, now)
    if found.status == "held":
        for part in parts.still_open(connection, found):
            stock.move(connection, part.sku, part.warehouse, 0, -part.quantity)
    set_status(connection, reference, "consumed" if parts.issued(connection, found) else "released")
    return _existing(connection, reference, now)


def consume(connection: sqlite3.Connection, reference: str, account_id: str, now: datetime) -> Reservation:
    """Post the goods issue, once. An expired reservation takes the same stock again where it is still free.

    Raises:
        NotFound: there is none of this account.
        WrongState: it was released.
        InsufficientStock: it expired and its stock is gone.
    """
    found = find(connection, reference, now)
    if found is None or found.account_id != account_id:
        raise NotFound()
    if found.status == "consumed":
        return found
    if found.status == "released":
        raise WrongState(record_id=found.reservation_id, state=found.status, needs="held")
    stock.expire_overdue(connection, now)
    held = found.status == "held"
    for part in parts.still_open(connection, found):
        if not held:
            still_free(connection, part)
        stock.move(connection, part.sku, part.warehouse, -part.quantity, -part.quantity if held else 0)
    set_status(connection, reference, "consumed")
    return _existing(connection, reference, now)


def settle_part(
    connection: sqlite3.Connection,
    reference: str,
    part: ReservationPart,
    outcome: Literal["issued", "released"],
    now: datetime,
) -> Reservation:
    """Issue the goods of one warehouse, or give them back, once.

    Raises:
        NotFound: there is no such part of this account.
        WrongState: the part came to the other end before.
        InsufficientStock: the reservation expired and its stock is gone.
    """
    found = find(connection, reference, now)
    if found is None or found.account_id != part.account_id:
        raise NotFound()
    goods = [one for one in found.allocations if one.warehouse == part.warehouse]
    if not goods:
        raise NotFound()
    whole = {"consumed": "issued", "released": "released"}.get(found.status)
    before = parts.outcomes(connection, found).get(part.warehouse, whole)
    if before == outcome:
        return found
    if before is not None:
        raise WrongState(record_id=found.reservation_id, state=before, needs="held")
    stock.expire_overdue(connection, now)
    held = found.status == "held"
    for one in goods:
        if not held and outcome == "issued":
            still_free(connection, one)
        on_hand = -one.quantity if outcome == "issued" else 0
        stock.move(connection, one.sku, one.warehouse, on_hand, -one.quantity if held else 0)
    parts.settle(connection, found, part.warehouse, outcome)
    if not parts.still_open(connection, found):
        set_status(connection, reference, "consumed" if parts.issued(connection, found) else "released")
    return _existing(connection, reference, now)


def find(connection: sqlite3.Connection, reference: str, now: datetime) -> Reservation | None:
    """The reservation of this reference; an overdue one reads as expired."""
    row = connection.execute("SELECT * FROM reservations WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        return None
    parts = connection.execute("SELECT * FROM allocations WHERE reservation = ? ORDER BY position", (row["key"],))
    overdue = row["status"] == "held" and row["expires_at"] <= stamp(now)
    return Reservation(
        reservation_id=number("RSV", row["key"]),
        reference=reference,
        account_id=row["account_id"],
        allocations=tuple(Allocation(sku=p["sku"], warehouse=p["warehouse"], quantity=p["quantity"]) for p in parts),
        status="expired" if overdue else row["status"],
        expires_at=instant(row["expires_at"]),
    )


def _existing(connection: sqlite3.Connection, reference: str, now: datetime) -> Reservation:
    found = find(connection, reference, now)
    if found is None:
        raise LookupError(f"reservation {reference!r} vanished inside its own transaction")
    return found


def still_free(connection: sqlite3.Connection, part: Allocation) -> None:
    """Make sure that stock which is no longer reserved can be taken again; ``InsufficientStock`` if not."""
    sql = "SELECT on_hand - reserved AS free FROM stock WHERE sku = ? AND warehouse = ?"
    free = connection.execute(sql, (part.sku, part.warehouse)).fetchone()["free"]
    if free < part.quantity:
        raise InsufficientStock(sku=part.sku, requested=part.quantity, available=free)


def set_status(connection: sqlite3.Connection, reference: str, status: str) -> None:
    """Keep what a reservation is now."""
    connection.execute("UPDATE reservations SET status = ? WHERE reference = ?", (status, reference))
