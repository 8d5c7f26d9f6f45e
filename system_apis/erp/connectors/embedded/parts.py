"""The parts of a reservation, one a warehouse: each is issued or given back by itself."""

from __future__ import annotations

import sqlite3

from system_apis.canonical.entities import Allocation, Reservation
from system_apis.erp.connectors.embedded.journal import key_of

SETTLED = "SELECT warehouse, outcome FROM settled_parts WHERE reservation = ?"


def outcomes(connection: sqlite3.Connection, reservation: Reservation) -> dict[str, str]:
    """The warehouses whose part is settled, each with ``issued`` or ``released``."""
    rows = connection.execute(SETTLED, (key_of("RSV", reservation.reservation_id),))
    return {row["warehouse"]: row["outcome"] for row in rows}


def still_open(connection: sqlite3.Connection, reservation: Reservation) -> tuple[Allocation, ...]:
    """What it still holds: the allocations in warehouses whose part is not settled."""
    settled = outcomes(connection, reservation)
    return tuple(part for part in reservation.allocations if part.warehouse not in settled)


def issued(connection: sqlite3.Connection, reservation: Reservation) -> bool:
    """Whether the goods of any part have left the stock."""
    return "issued" in outcomes(connection, reservation).values()


def settle(connection: sqlite3.Connection, reservation: Reservation, warehouse: str, outcome: str) -> None:
    """Keep what became of a part."""
    key = key_of("RSV", reservation.reservation_id)
    connection.execute("INSERT INTO settled_parts VALUES (?, ?, ?)", (key, warehouse, outcome))
