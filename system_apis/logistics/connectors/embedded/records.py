"""The warehouse's books on SQLite: what one transaction does, as functions on a connection."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, date, datetime, timedelta

import msgspec

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Shipment, ShipmentLine, TrackingEvent
from system_apis.canonical.refusals import Tombstoned
from system_apis.canonical.values import Address
from system_apis.embedded import among, where
from system_apis.logistics.connectors.embedded.progress import Progress, Route, advance
from system_apis.logistics.port import ShipmentChange, ShipmentFilter, ShipmentRequest

SCHEMA = """
CREATE TABLE IF NOT EXISTS shipment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    order_reference TEXT NOT NULL,
    account_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    lines TEXT NOT NULL,
    ship_to TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    released_us INTEGER NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('released', 'picked', 'dispatched', 'delivered', 'delayed', 'cancelled')),
    due TEXT NOT NULL DEFAULT '',
    next_due_us INTEGER,
    promised_on TEXT,
    carrier TEXT NOT NULL DEFAULT '',
    tracking_number TEXT NOT NULL DEFAULT '',
    last_event_us INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS shipment_by_account ON shipment (account_id, seq);
CREATE INDEX IF NOT EXISTS shipment_by_order ON shipment (order_reference, seq);
CREATE INDEX IF NOT EXISTS shipment_due ON shipment (next_due_us) WHERE next_due_us IS NOT NULL;
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    shipment_seq INTEGER NOT NULL REFERENCES shipment (seq),
    at_us INTEGER NOT NULL,
    status TEXT NOT NULL,
    location TEXT NOT NULL,
    note TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS event_by_shipment ON event (shipment_seq, seq);
CREATE TABLE IF NOT EXISTS change (
    reference TEXT PRIMARY KEY,
    shipment_seq INTEGER NOT NULL REFERENCES shipment (seq),
    kind TEXT NOT NULL CHECK (kind IN ('pick', 'dispatch', 'deliver', 'delay')),
    fingerprint TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tombstone (reference TEXT PRIMARY KEY, created_us INTEGER NOT NULL) STRICT;
"""

SHIPMENT_ID = re.compile(r"SHP-(\d{8}|[1-9]\d{8,17})\Z", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINES = msgspec.json.Decoder(tuple[ShipmentLine, ...])
ADDRESS = msgspec.json.Decoder(Address)


def microseconds(at: datetime) -> int:
    """``at`` as whole microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(at_us: int) -> datetime:
    """The inverse of ``microseconds``."""
    return EPOCH + timedelta(microseconds=at_us)


def shipment_id(seq: int) -> str:
    """The number the warehouse shows for its ``seq``-th shipment."""
    return f"SHP-{seq:08d}"


def sequence(identifier: str) -> int:
    """The inverse of ``shipment_id``.

    Raises:
        NotFound: this is no number of ours.
    """
    if not SHIPMENT_ID.match(identifier):
        raise NotFound
    return int(identifier.removeprefix("SHP-"))


def route_of(row: sqlite3.Row) -> Route:
    """What steps need to know of the shipment in ``row``."""
    ship_to = ADDRESS.decode(row["ship_to"])
    return Route(seq=row["seq"], warehouse=row["warehouse"], city=ship_to.city, country=ship_to.country)


def progress_of(row: sqlite3.Row) -> Progress:
    """How far the shipment in ``row`` is, as stored."""
    return Progress(
        status=row["status"],
        due=tuple(instant(int(moment)) for moment in row["due"].split()),
        promised_on=date.fromisoformat(row["promised_on"]) if row["promised_on"] else None,
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        last_event_at=instant(row["last_event_us"]),
    )


def insert(
    connection: sqlite3.Connection, request: ShipmentRequest, reference: str, digest: str, progress: Progress
) -> int:
    """Store a new shipment and its first state; its sequence number."""
    released_us = microseconds(progress.last_event_at)
    seq = connection.execute(
        "INSERT INTO shipment (reference, order_reference, account_id, warehouse, lines, ship_to, fingerprint,"
        " released_us, status, last_event_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'released', ?) RETURNING seq",
        (
            reference,
            request.order_reference,
            request.account_id,
            request.warehouse,
            msgspec.json.encode(request.lines).decode(),
            msgspec.json.encode(request.ship_to).decode(),
            digest,
            released_us,
            released_us,
        ),
    ).fetchone()["seq"]
    save(connection, seq, progress)
    return seq


def save(connection: sqlite3.Connection, seq: int, progress: Progress) -> None:
    """Store how far a shipment is and the events that are new."""
    due = tuple(microseconds(moment) for moment in progress.due)
    connection.execute(
        "UPDATE shipment SET status = ?, due = ?, next_due_us = ?, promised_on = ?, carrier = ?,"
        " tracking_number = ?, last_event_us = ? WHERE seq = ?",
        (
            progress.status,
            " ".join(str(moment) for moment in due),
            due[0] if due else None,
            progress.promised_on.isoformat() if progress.promised_on else None,
            progress.carrier,
            progress.tracking_number,
            microseconds(progress.last_event_at),
            seq,
        ),
    )
    connection.executemany(
        "INSERT INTO event (shipment_seq, at_us, status, location, note) VALUES (?, ?, ?, ?, ?)",
        [(seq, microseconds(event.at), event.status, event.location, event.note) for event in progress.events],
    )


def anything_due(connection: sqlite3.Connection, now: datetime) -> bool:
    """Whether a shipment has a step to take by ``now``."""
    now_us = microseconds(now)
    return bool(
        connection.execute("SELECT EXISTS (SELECT 1 FROM shipment WHERE next_due_us <= ?)", (now_us,)).fetchone()[0]
    )


def settle(connection: sqlite3.Connection, now: datetime) -> None:
    """Take and store every step of every shipment whose moment has come."""
    rows = connection.execute("SELECT * FROM shipment WHERE next_due_us <= ?", (microseconds(now),)).fetchall()
    for row in rows:
        save(connection, row["seq"], advance(progress_of(row), route_of(row), now))


def by_seq(connection: sqlite3.Connection, seq: int) -> sqlite3.Row | None:
    """The row of a shipment number."""
    return connection.execute("SELECT * FROM shipment WHERE seq = ?", (seq,)).fetchone()


def by_reference(connection: sqlite3.Connection, reference: str) -> sqlite3.Row | None:
    """The row of a release's reference."""
    return connection.execute("SELECT * FROM shipment WHERE reference = ?", (reference,)).fetchone()


def matching(connection: sqlite3.Connection, which: ShipmentFilter, after: int, limit: int) -> list[sqlite3.Row]:
    """Rows above ``after`` that match, by rising number."""
    matches = (
        ("seq > ?", after),
        among("account_id", which.account_ids),
        ("reference = ?", which.reference),
        ("order_reference = ?", which.order_reference),
        ("status = ?", which.status),
    )
    conditions, values = where(matches)
    rows = connection.execute(f"SELECT * FROM shipment WHERE {conditions} ORDER BY seq LIMIT ?", (*values, limit))
    return rows.fetchall()


def shipment_of(connection: sqlite3.Connection, row: sqlite3.Row) -> Shipment:
    """The shipment a row stands for, with its events."""
    events = connection.execute("SELECT * FROM event WHERE shipment_seq = ? ORDER BY seq", (row["seq"],)).fetchall()
    return Shipment(
        shipment_id=shipment_id(row["seq"]),
        reference=row["reference"],
        order_reference=row["order_reference"],
        account_id=row["account_id"],
        warehouse=row["warehouse"],
        lines=LINES.decode(row["lines"]),
        ship_to=ADDRESS.decode(row["ship_to"]),
        status=row["status"],
        carrier=row["carrier"],
        tracking_number=row["tracking_number"],
        events=tuple(
            TrackingEvent(
                at=instant(event["at_us"]), status=event["status"], location=event["location"], note=event["note"]
            )
            for event in events
        ),
        released_at=instant(row["released_us"]),
        promised_on=date.fromisoformat(row["promised_on"]) if row["promised_on"] else None,
    )


def change_by_reference(connection: sqlite3.Connection, reference: str) -> tuple[ShipmentChange, str] | None:
    """The change made under ``reference``, and the digest of what was asked for."""
    row = connection.execute("SELECT * FROM change WHERE reference = ?", (reference,)).fetchone()
    if row is None:
        return None
    change = ShipmentChange(reference=reference, shipment_id=shipment_id(row["shipment_seq"]), kind=row["kind"])
    return change, row["fingerprint"]


def bar(connection: sqlite3.Connection, reference: str, now: datetime) -> None:
    """Leave the mark that refuses a late original."""
    connection.execute("INSERT OR IGNORE INTO tombstone VALUES (?, ?)", (reference, microseconds(now)))


def refuse_barred(connection: sqlite3.Connection, reference: str) -> None:
    """Refuse a reference that was cancelled.

    Raises:
        Tombstoned
    """
    if connection.execute("SELECT 1 FROM tombstone WHERE reference = ?", (reference,)).fetchone():
        raise Tombstoned(reference=reference)
