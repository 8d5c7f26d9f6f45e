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
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from governance.database import dialect_of, for_each_dialect
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
AT_ONCE = 16
"""So many subjects are taken further by one statement."""
ADD = sa.insert(events)
LINK = for_each_dialect(lambda insert: insert(event_links).on_conflict_do_nothing())
KNOWN = sa.select(events.c.source, events.c.source_id).where(
    events.c.source.in_(sa.bindparam("sources", expanding=True)),
    events.c.source_id.in_(sa.bindparam("ids", expanding=True)),
)


def append(connection: sa.Connection, new: Sequence[NewEvent], now: datetime) -> list[NewEvent]:
    """Write events in the caller's transaction, in their order; those that are new.

    The caller writes to the database before or commits soon after: until then other writers about
    the same subjects wait.
    """
    if not new:
        return []
    counted = Counter(event.subject for event in new)
    # taken first, so that what others wrote about the subjects is seen, and in one order, so that nobody waits in a circle
    last = _advanced(connection, counted)
    fresh = _fresh(connection, new)
    written = Counter(event.subject for event in fresh)
    last = {subject: sequence - counted[subject] for subject, sequence in last.items()}
    if not_written := counted - written:
        _advanced(connection, {subject: -by for subject, by in not_written.items()})
    if fresh:
        rows: list[dict[str, Any]] = []
        for event in fresh:
            last[event.subject] += 1
            rows.append(_row(event, last[event.subject], microseconds(now)))
        if dialect_of(connection) != "sqlite":
            connection.execute(ANNOUNCE)
        connection.execute(ADD, rows)
        _link(connection, fresh)
    return fresh


def _advanced(connection: sa.Connection, by: Mapping[str, int]) -> dict[str, int]:
    """The last sequence of each subject, which no other transaction takes further before this one ends."""
    last: dict[str, int] = {}
    subjects = sorted(by)
    for first in range(0, len(subjects), AT_ONCE):
        some = subjects[first : first + AT_ONCE]
        values: dict[str, Any] = {f"about{at}": subject for at, subject in enumerate(some)}
        values |= {f"by{at}": by[subject] for at, subject in enumerate(some)}
        advance = _advance(len(some))[dialect_of(connection)]
        last |= {row.subject: row.sequence for row in connection.execute(advance, values)}
    return last


@cache
def _advance(count: int) -> Mapping[str, sa.Executable]:
    """The statement that takes so many sequences further."""
    rows: list[dict[str, sa.BindParameter[Any]]] = [
        {"subject": sa.bindparam(f"about{at}"), "sequence": sa.bindparam(f"by{at}")} for at in range(count)
    ]

    def build(insert: Any) -> sa.Executable:
        added = insert(event_subjects).values(rows)
        further = {"sequence": event_subjects.c.sequence + added.excluded.sequence}
        upserted = added.on_conflict_do_update(index_elements=["subject"], set_=further)
        return upserted.returning(event_subjects.c.subject, event_subjects.c.sequence)

    return for_each_dialect(build)


def _fresh(connection: sa.Connection, new: Sequence[NewEvent]) -> list[NewEvent]:
    """The events that nobody wrote before, each source id once."""
    asked = {event.source_id: event.source for event in new if event.source_id is not None}
    if not asked:
        return list(new)
    rows = connection.execute(KNOWN, {"sources": sorted(set(asked.values())), "ids": list(asked)})
    known: set[tuple[str, str]] = {(row.source, row.source_id) for row in rows}
    fresh: list[NewEvent] = []
    for event in new:
        if event.source_id is not None:
            if (event.source, event.source_id) in known:
                continue
            known.add((event.source, event.source_id))
        fresh.append(event)
    return fresh


def _link(connection: sa.Connection, new: Sequence[NewEvent]) -> None:
    """Remember which order a sales order belongs to, for what the ERP tells of it."""
    links = [
        {"record_id": getattr(event.data, LINKED[event.type]), "subject": event.subject}
        for event in new
        if event.type in LINKED
    ]
    if links:
        connection.execute(LINK[dialect_of(connection)], links)


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
