"""The inbox: verified deliveries of a system's vendor, kept before they are answered, each event once.

Guarantees: ``keep`` returns when the delivery is on disk. An event id that a system's vendor sends
again is kept once, whichever process receives it, also after the store was flushed. Whoever reads
after a position misses nothing and sees nothing twice: positions are given in the order of commit,
as writers on PostgreSQL take turns. A notice says that something changed; what is true is what the
system of record says, so order and lateness of deliveries do no harm.

A database that is away: ``SystemUnavailable``, so the vendor is answered 503 and delivers again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from governance.call import Clock
from governance.contract.delivery import Delivery, Receipt
from governance.contract.refusals import SystemUnavailable
from governance.database import Database, DatabaseAway
from governance.webhooks.migration import MIGRATIONS
from governance.webhooks.tables import inbox

T = TypeVar("T")
TURN = 7_416_033_024
"""The advisory lock under which positions are given on PostgreSQL."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Received(Struct, frozen=True, kw_only=True):
    """One delivery as it was kept."""

    position: int
    event_id: str
    sent_at: datetime
    notice: str
    """What its connector made of it: JSON of the system's own notice."""


class Inbox:
    """What the vendors of this process's systems delivered."""

    def __init__(self, database: Database, clock: Clock) -> None:
        database.adopt(MIGRATIONS)
        self._database = database
        self._clock = clock
        self._arrived: dict[str, asyncio.Event] = {}

    async def keep(self, delivery: Delivery, notice: str) -> bool:
        """Keep a delivery with what its connector made of it; False when this event was kept before.

        Raises:
            SystemUnavailable: the database is away; whether it is kept is unknown, a repeat is harmless.
        """
        row = {
            "system": delivery.system,
            "event_id": delivery.event_id,
            "sent_us": _microseconds(delivery.sent_at),
            "received_us": _microseconds(self._clock.now()),
            "notice": notice,
        }
        new = await _asked(self._database.write(lambda connection: _insert(connection, row)))
        if new:
            self.arrived(delivery.system).set()
        return new

    async def receive(self, delivery: Delivery, notice: Struct | None) -> Receipt:
        """Keep what a delivery says, or pass it over where it says nothing that matters here; what its sender is told.

        Raises:
            SystemUnavailable: the database is away.
        """
        if notice is None:
            return Receipt(event_id=delivery.event_id, outcome="passed_over")
        new = await self.keep(delivery, msgspec.json.encode(notice).decode())
        return Receipt(event_id=delivery.event_id, outcome="kept" if new else "repeated")

    async def after(self, system: str, position: int, limit: int) -> tuple[Received, ...]:
        """Up to ``limit`` deliveries to ``system`` above ``position``, in the order in which they were kept.

        Raises:
            SystemUnavailable: the database is away.
        """
        query = (
            sa.select(inbox)
            .where(inbox.c.system == system, inbox.c.position > position)
            .order_by(inbox.c.position)
            .limit(limit)
        )
        rows = await _asked(self._database.read(lambda connection: connection.execute(query).all()))
        return tuple(_received(row) for row in rows)

    async def forget(self, before: datetime) -> int:
        """Remove what came before an instant; how many that were. A repeat of them would be new again."""
        old = sa.delete(inbox).where(inbox.c.received_us < _microseconds(before))
        return await _asked(self._database.write(lambda connection: connection.execute(old).rowcount))

    def arrived(self, system: str) -> asyncio.Event:
        """Set when this process kept a delivery to ``system``: a reader clears it, reads, and waits for it again."""
        return self._arrived.setdefault(system, asyncio.Event())


def opened(inbox: Inbox | None) -> Inbox:
    """The inbox of this process.

    Raises:
        SystemUnavailable: it keeps none, as some processes of tests.
    """
    if inbox is None:
        raise SystemUnavailable(detail="Nothing is received here.")
    return inbox


async def _asked(answer: Any) -> Any:
    try:
        return await answer
    except DatabaseAway as error:
        raise SystemUnavailable(detail="The inbox is away; deliver again.") from error


def _insert(connection: sa.Connection, row: dict[str, Any]) -> bool:
    on_sqlite = connection.dialect.name == "sqlite"
    if not on_sqlite:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
    insert: Callable[..., Any] = sqlite.insert if on_sqlite else postgresql.insert
    kept = insert(inbox).values(row).on_conflict_do_nothing().returning(inbox.c.position)
    return connection.execute(kept).scalar() is not None


def _received(row: Any) -> Received:
    return Received(
        position=row.position, event_id=row.event_id, sent_at=EPOCH + row.sent_us * MICROSECOND, notice=row.notice
    )


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
