"""Stock positions: what lies where, and what of it is set aside.

A reservation that is overdue holds nothing: readings take it off at once, and the next writing
gives it back in its own transaction before it does anything else.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from system_apis.canonical.entities import Availability, InventoryPosition
from system_apis.canonical.refusals import InsufficientStock
from system_apis.erp.connectors.embedded import products
from system_apis.erp.connectors.embedded.allocation import Site
from system_apis.erp.connectors.embedded.journal import stamp
from system_apis.erp.documents import StockLevel, StockTotal

OPEN_PARTS = """SELECT a.* FROM allocations a WHERE a.reservation = ? AND NOT EXISTS (SELECT 1 FROM settled_parts p
WHERE p.reservation = a.reservation AND p.warehouse = a.warehouse) ORDER BY a.position"""
"""What a reservation still holds: the allocations in warehouses whose part is neither issued nor given back."""
POSITIONS = """SELECT s.sku, s.warehouse, s.on_hand, w.country, w.serves, w.third_party,
s.reserved - coalesce((SELECT sum(a.quantity) FROM reservations r JOIN allocations a ON a.reservation = r.key
    WHERE r.status = 'held' AND r.expires_at <= ? AND a.sku = s.sku AND a.warehouse = s.warehouse AND NOT EXISTS
    (SELECT 1 FROM settled_parts p WHERE p.reservation = r.key AND p.warehouse = a.warehouse)), 0) AS reserved
FROM stock s JOIN sites w USING (warehouse)"""


TOTALS = """SELECT p.sku, coalesce((SELECT sum(s.on_hand - s.reserved) FROM stock s WHERE s.sku = p.sku), 0)
+ coalesce((SELECT sum(a.quantity) FROM reservations r JOIN allocations a ON a.reservation = r.key
    WHERE r.status = 'held' AND r.expires_at <= ? AND a.sku = p.sku AND NOT EXISTS
    (SELECT 1 FROM settled_parts d WHERE d.reservation = r.key AND d.warehouse = a.warehouse)), 0) AS available
FROM products p WHERE p.sku IN (SELECT value FROM json_each(?))"""


def availability(connection: sqlite3.Connection, sku: str, now: datetime) -> Availability:
    """Stock of a product over all places, or ``UnknownProduct``."""
    rows = connection.execute(f"{POSITIONS} WHERE s.sku = ? ORDER BY s.warehouse", (stamp(now), sku)).fetchall()
    if not rows:
        products.unknown_among(connection, (sku,))
    positions = tuple(_position(row) for row in rows)
    return Availability(sku=sku, available=sum(position.available for position in positions), positions=positions)


def totals(connection: sqlite3.Connection, skus: tuple[str, ...], now: datetime) -> tuple[StockTotal, ...]:
    """What is free of each product over all places, in the order asked for."""
    rows = connection.execute(TOTALS, (stamp(now), json.dumps(skus)))
    free = {row["sku"]: row["available"] for row in rows}
    return tuple(StockTotal(sku=sku, available=free.get(sku)) for sku in skus)


def positions(
    connection: sqlite3.Connection,
    sku: str | None,
    warehouse: str | None,
    after: tuple[str, str],
    limit: int,
    now: datetime,
) -> tuple[InventoryPosition, ...]:
    """Positions by SKU and warehouse, above ``after``."""
    sql = f"""{POSITIONS} WHERE (s.sku, s.warehouse) > (?, ?) AND s.sku = coalesce(?, s.sku)
    AND s.warehouse = coalesce(?, s.warehouse) ORDER BY s.sku, s.warehouse LIMIT ?"""
    rows = connection.execute(sql, (stamp(now), *after, sku, warehouse, limit))
    return tuple(_position(row) for row in rows)


def put(
    connection: sqlite3.Connection, warehouse: str, sku: str, level: StockLevel, now: datetime
) -> InventoryPosition:
    """Set what is on hand; a new warehouse is opened.

    Raises:
        UnknownProduct: there is no such product.
        InsufficientStock: more than that is reserved here.
    """
    products.unknown_among(connection, (sku,))
    expire_overdue(connection, now)
    _put_site(connection, warehouse, level)
    row = connection.execute("SELECT reserved FROM stock WHERE sku = ? AND warehouse = ?", (sku, warehouse)).fetchone()
    if row is not None and row["reserved"] > level.on_hand:
        raise InsufficientStock(sku=sku, requested=row["reserved"], available=level.on_hand)
    connection.execute(
        """INSERT INTO stock (sku, warehouse, on_hand) VALUES (?, ?, ?)
        ON CONFLICT (sku, warehouse) DO UPDATE SET on_hand = excluded.on_hand""",
        (sku, warehouse, level.on_hand),
    )
    at = f"{POSITIONS} WHERE s.sku = ? AND s.warehouse = ?"
    return _position(connection.execute(at, (stamp(now), sku, warehouse)).fetchone())


def sites_with(connection: sqlite3.Connection, skus: tuple[str, ...]) -> tuple[Site, ...]:
    """The sites that hold any of the products, with what is free there. Overdue reservations are given back already."""
    places: dict[str, Site] = {}
    for sku in skus:
        sql = """SELECT s.warehouse, s.on_hand - s.reserved AS free, w.country, w.serves, w.third_party
        FROM stock s JOIN sites w USING (warehouse) WHERE s.sku = ?"""
        for row in connection.execute(sql, (sku,)):
            name = row["warehouse"]
            if name not in places:
                serves = tuple(row["serves"].split())
                places[name] = Site(name, row["country"], serves, bool(row["third_party"]), {})
            places[name].free[sku] = row["free"]
    return tuple(places.values())


def move(connection: sqlite3.Connection, sku: str, warehouse: str, on_hand: int, reserved: int) -> None:
    """Change a position by these amounts; the file's own constraints refuse what can't be."""
    sql = "UPDATE stock SET on_hand = on_hand + ?, reserved = reserved + ? WHERE sku = ? AND warehouse = ?"
    connection.execute(sql, (on_hand, reserved, sku, warehouse))


def expire_overdue(connection: sqlite3.Connection, now: datetime) -> None:
    """Give back what reservations hold whose time is over."""
    overdue = "SELECT key FROM reservations WHERE status = 'held' AND expires_at <= ?"
    keys = [row["key"] for row in connection.execute(overdue, (stamp(now),))]
    for key in keys:
        for row in connection.execute(OPEN_PARTS, (key,)).fetchall():
            move(connection, row["sku"], row["warehouse"], 0, -row["quantity"])
        connection.execute("UPDATE reservations SET status = 'expired' WHERE key = ?", (key,))


def _put_site(connection: sqlite3.Connection, warehouse: str, level: StockLevel) -> None:
    connection.execute(
        """INSERT INTO sites VALUES (?, ?, '', ?) ON CONFLICT (warehouse) DO UPDATE SET
        third_party = excluded.third_party, country = coalesce(nullif(excluded.country, ''), country)""",
        (warehouse, level.country or "", int(level.third_party)),
    )


def _position(row: sqlite3.Row) -> InventoryPosition:
    return InventoryPosition(
        sku=row["sku"],
        warehouse=row["warehouse"],
        on_hand=row["on_hand"],
        reserved=row["reserved"],
        available=row["on_hand"] - row["reserved"],
        third_party=bool(row["third_party"]),
    )
