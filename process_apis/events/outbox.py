"""The outbox: events are written in the transaction of the change that they tell of, or not at all.

Guarantees: events of one subject have the sequence 1, 2, 3 … without a gap, in the order in which
their transactions were committed; two transactions about one subject wait for each other. Of one
source and source id only the first event is written. Whoever reads the log by position (``log``)
misses no event that is committed later than one of a higher position.

The last point is free on SQLite, which has one writer. PostgreSQL hands out positions before the
commit, so each writer first says from where on it may have taken some, by a shared advisory lock
that ends with its transaction; readers stop there. No writer waits for another by it.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from process_apis.events.event import NewEvent
from process_apis.events.instants import microseconds
from process_apis.events.tables import event_links, event_subjects, events

LINKED = {"order.confirmed": "sales_order_id"}
"""Types whose data names a record that later events are about."""
WRITING = 7_416 << 48
"""Advisory locks from here on are positions: the last that was taken before their holder took any."""
ANNOUNCE = sa.text(
    f"SELECT pg_advisory_xact_lock_shared({WRITING} + last_value - (CASE WHEN is_called THEN 0 ELSE 1 END))"
    " FROM events_position_seq"
)


def append(connection: sa.Connection, new: Sequence[NewEvent], now: datetime) -> int:
    """Write events in the caller's transaction, in their order; how many of them are new.

    The caller writes to the database before or commits soon after: until then other writers about
    the same subjects wait.
    """
    if not new:
        return 0
    ordered = sorted(enumerate(new), key=lambda one: (one[1].subject, one[0]))  # nobody waits in a circle
    rows: list[tuple[int, dict[str, Any]]] = []
    for place, event in ordered:
        if event.source_id is not None and _known(connection, event, [row for _, row in rows]):
            continue
        rows.append((place, _row(event, _next_sequence(connection, event.subject), microseconds(now))))
    if rows:
        if connection.dialect.name != "sqlite":
            connection.execute(ANNOUNCE)
        connection.execute(sa.insert(events), [row for _, row in sorted(rows, key=lambda row: row[0])])
        _link(connection, [new[place] for place, _ in rows])
    return len(rows)


def _known(connection: sa.Connection, event: NewEvent, rows: Sequence[dict[str, Any]]) -> bool:
    if any((row["source"], row["source_id"]) == (event.source, event.source_id) for row in rows):
        return True
    _hold(connection, event.subject)
    same = sa.and_(events.c.source == event.source, events.c.source_id == event.source_id)
    return connection.execute(sa.select(events.c.position).where(same)).first() is not None


def _hold(connection: sa.Connection, subject: str) -> None:
    """Wait until no other transaction writes about ``subject``, so that what it wrote is seen."""
    held = _insert(connection).values(subject=subject, sequence=0)
    connection.execute(
        held.on_conflict_do_update(index_elements=["subject"], set_={"sequence": event_subjects.c.sequence})
    )


def _next_sequence(connection: sa.Connection, subject: str) -> int:
    counted = _insert(connection).values(subject=subject, sequence=1)
    counted = counted.on_conflict_do_update(
        index_elements=["subject"], set_={"sequence": event_subjects.c.sequence + 1}
    ).returning(event_subjects.c.sequence)
    return int(connection.execute(counted).scalar_one())


def _link(connection: sa.Connection, new: Sequence[NewEvent]) -> None:
    """Remember which order a sales order belongs to, for what the ERP tells of it."""
    links = [
        {"record_id": getattr(event.data, LINKED[event.type]), "subject": event.subject}
        for event in new
        if event.type in LINKED
    ]
    if links:
        insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        connection.execute(insert(event_links).on_conflict_do_nothing(), links)


def _row(event: NewEvent, sequence: int, at_us: int) -> dict[str, Any]:
    return {
        "event_id": _event_id(event.subject, sequence),
        "type": event.type,
        "version": event.version,
        "subject": event.subject,
        "sequence": sequence,
        "account_id": event.account_id,
        "source": event.source,
        "source_id": event.source_id,
        "at_us": at_us,
        "data": msgspec.json.encode(event.data).decode(),
    }


def _event_id(subject: str, sequence: int) -> str:
    digest = hashlib.sha256(f"{subject}\n{sequence}".encode()).digest()
    return "evt-" + b32encode(digest)[:26].decode().lower()


def _insert(connection: sa.Connection) -> Any:
    return (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(event_subjects)
