"""The log: events by position, for readers that keep a cursor.

A reader that goes on after the last position it saw misses nothing and sees nothing twice, whatever
is written meanwhile (``outbox``). A position that was taken and rolled back is a gap, which means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from process_apis.events.event import Event
from process_apis.events.instants import instant
from process_apis.events.outbox import WRITING
from process_apis.events.tables import events

TAKEN = sa.text("SELECT last_value - (CASE WHEN is_called THEN 0 ELSE 1 END) FROM events_position_seq")
WRITERS_FROM = sa.text(
    "SELECT min(((classid::bigint << 32) | objid::bigint) - :writing) FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND ((classid::bigint << 32) | objid::bigint) BETWEEN :writing AND :writing + ((1::bigint << 48) - 1)"
)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which events are asked for; None or empty: any."""

    types: tuple[str, ...] = ()
    """Words such as ``order.accepted``, or whole families such as ``order.*``."""
    subject: str | None = None
    account_ids: tuple[str, ...] | None = None

    def admits(self, event: Event) -> bool:
        """Whether an event is among them."""
        if self.subject is not None and event.subject != self.subject:
            return False
        if self.account_ids is not None and event.account_id not in self.account_ids:
            return False
        return not self.types or event.type in self.types or f"{event.type.partition('.')[0]}.*" in self.types


def settled(connection: sa.Connection) -> int:
    """The position up to which nothing can appear any more.

    On PostgreSQL the connection must be at READ COMMITTED, its default: what is read after this sees
    everything up to there.
    """
    if connection.dialect.name == "sqlite":
        return int(connection.execute(sa.select(sa.func.max(events.c.position))).scalar() or 0)
    # In this order. Who takes a position after the first statement takes a higher one; who took one
    # before it and has not ended holds its lock in the second; who has ended is seen by the next.
    taken = int(connection.execute(TAKEN).scalar_one())
    writers_from = connection.execute(WRITERS_FROM, {"writing": WRITING}).scalar()
    return taken if writers_from is None else min(taken, int(writers_from))


def events_after(
    connection: sa.Connection, position: int, limit: int, wanted: Wanted | None = None, at_least: int = 0
) -> list[Event]:
    """Up to ``limit`` wanted events above ``position``, in the order of the log.

    ``at_least`` is a position up to which the log is known to be settled: two looks at it need not
    agree, as each errs on the safe side.
    """
    wanted = wanted or Wanted()
    upto = max(settled(connection), at_least)
    if upto <= position:
        return []
    query = sa.select(events).where(events.c.position > position, events.c.position <= upto)
    if wanted.types:
        query = query.where(sa.or_(*map(_named, wanted.types)))
    if wanted.subject is not None:
        query = query.where(events.c.subject == wanted.subject)
    if wanted.account_ids is not None:
        query = query.where(events.c.account_id.in_(wanted.account_ids))
    rows: Sequence[Any] = connection.execute(query.order_by(events.c.position).limit(limit)).all()
    return [shown(row) for row in rows]


def _named(word: str) -> sa.ColumnElement[bool]:
    family = word.removesuffix("*")
    return events.c.type == word if family == word else events.c.type.startswith(family, autoescape=True)


def event_of(connection: sa.Connection, event_id: str) -> Event | None:
    """The event of this id, or None."""
    row = connection.execute(sa.select(events).where(events.c.event_id == event_id)).first()
    return None if row is None else shown(row)


def position_of(connection: sa.Connection, event_id: str, account_ids: Sequence[str] | None) -> int | None:
    """Where the event of this id is; None where it is not in the log, or not of these accounts."""
    query = sa.select(events.c.position).where(events.c.event_id == event_id)
    if account_ids is not None:
        query = query.where(events.c.account_id.in_(account_ids))
    return connection.execute(query).scalar()


def shown(row: Any) -> Event:
    """A row of the log as an event."""
    return Event(
        position=row.position,
        event_id=row.event_id,
        type=row.type,
        version=row.version,
        subject=row.subject,
        sequence=row.sequence,
        account_id=row.account_id,
        source=row.source,
        at=instant(row.at_us),
        data=msgspec.Raw(row.data.encode()),
    )
