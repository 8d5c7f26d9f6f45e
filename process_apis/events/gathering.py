"""Gathering: what happened in the systems of record is read from their change logs into the log of events.

One process does it, under a lease that another takes over ``LEASE_S`` after its death. How far a system was
read is kept in the transaction of the events, which are deduplicated by source id, so a process that
dies, or two that believe they hold the lease, lose nothing and write nothing twice. Flows that wait for
what happened to their shipment, payment or invoice are told; one that is not, because the process died in
between, looks by itself a little later.

A system that is away is asked again after a pause that grows up to ``LONGEST_PAUSE_S``, and holds up no other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence, Set
from contextlib import suppress
from datetime import timedelta
from functools import partial
from secrets import token_hex

import sqlalchemy as sa
from msgspec import Struct

from governance.call import Accounts, Call, Clock, Principal, enter, leave
from governance.contract import Problem
from governance.database import dialect_of, for_each_dialect
from process_apis.events.event import NewEvent
from process_apis.events.instants import microseconds
from process_apis.events.outbox import append
from process_apis.events.retention import forget
from process_apis.events.sources import advance, position_of
from process_apis.events.tables import event_gatherer, event_links
from process_apis.events.translation import OrderOf, Translation
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.signals import Signal
from process_apis.flow.tables import flows as flow_rows
from system_apis.canonical.changes import Change, Changes

log = logging.getLogger("tiergate.events")
API = "events.v1"
LOOK_S = 0.5
LEASE_S = 10.0
AT_ONCE = 200
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
TIDY_S = 3_600.0
Meant = tuple[Change, Callable[[OrderOf], tuple[NewEvent, ...]]]
FIRST_LEASE = for_each_dialect(lambda insert: insert(event_gatherer).on_conflict_do_nothing())
ORDER_OF = sa.select(event_links.c.subject).where(event_links.c.record_id == sa.bindparam("record"))
UNDER_WAY = sa.select(flow_rows.c.flow_id).where(
    flow_rows.c.flow_id.in_(sa.bindparam("ids", expanding=True)), sa.not_(flow_rows.c.ended)
)
TELLS_FLOWS = frozenset({"shipment", "payment", "invoice"})


class Source(Struct, frozen=True, kw_only=True):
    """Where changes are read."""

    name: str
    changes: Callable[[int, int], Awaitable[Changes]]
    """From a position and a limit to what changed after it."""


class Gathering:
    """Reads the systems for as long as the process lives."""

    def __init__(self, flows: FlowRuntime, clock: Clock, translation: Translation, sources: Sequence[Source]) -> None:
        self._flows = flows
        self._clock = clock
        self._translation = translation
        self._sources = sources
        self._holder = token_hex(16)
        self._held_until = float("-inf")
        self._tidied = float("-inf")
        self._positions: dict[str, int] = {}
        """How far each source was read, as far as this process knows: a look without news asks no database."""
        self._pauses: dict[str, tuple[float, float]] = {}
        """Source to the pause and the monotonic second at which it ends."""
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._go(), name="gathering")

    async def stop(self) -> None:
        """End, and leave the lease to whoever comes next."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._task = None
        if self._held_until > self._clock.monotonic():
            with suppress(Problem):
                await self._flows.write(partial(self._lease, seconds=0.0))

    async def look(self) -> int:
        """Read every system that is not paused to its end; how many events were new."""
        return sum([await self._patiently(source) for source in self._sources])

    async def holds(self) -> bool:
        """Whether this process is the one that reads; the lease is renewed where it is half over.

        Raises:
            SystemUnavailable: the database is away.
        """
        now = self._clock.monotonic()
        if now < self._held_until - LEASE_S / 2:
            return True
        if await self._flows.write(partial(self._lease, seconds=LEASE_S)):
            self._held_until = now + LEASE_S
        return now < self._held_until

    async def _go(self) -> None:
        while True:
            try:
                if self._flows.running and await self.holds():
                    await self.look()
                    await self._tidy()
            except Problem as problem:
                log.warning("systems of record can't be read into the log now: %s", problem.detail or problem.title)
            await asyncio.sleep(LOOK_S)

    def _lease(self, connection: sa.Connection, seconds: float) -> bool:
        now = self._clock.now()
        until_us = microseconds(now + timedelta(seconds=seconds))
        connection.execute(FIRST_LEASE[dialect_of(connection)], {"lease": 1, "holder": "", "until_us": 0})
        free = sa.or_(event_gatherer.c.holder == self._holder, event_gatherer.c.until_us < microseconds(now))
        taken = sa.update(event_gatherer).where(free).values(holder=self._holder, until_us=until_us)
        return connection.execute(taken).rowcount > 0

    async def _patiently(self, source: Source) -> int:
        pause_s, until = self._pauses.get(source.name, (FIRST_PAUSE_S, float("-inf")))
        if self._clock.monotonic() < until:
            return 0
        try:
            new = await self._read(source)
        except Problem as problem:
            longer_s = min(2 * pause_s, LONGEST_PAUSE_S)
            self._pauses[source.name] = (longer_s, self._clock.monotonic() + longer_s)
            if pause_s == FIRST_PAUSE_S:
                log.warning("%s: changes can't be read now: %s", source.name, problem.detail or problem.title)
            return 0
        self._pauses.pop(source.name, None)
        return new

    async def _read(self, source: Source) -> int:
        new = 0
        while True:
            position = self._positions.get(source.name)
            if position is None:
                position = await self._flows.read(partial(position_of, source=source.name))
            who = Principal(subject=API, client_id=API, acting_api=API, accounts=Accounts(reach="all"))
            token = enter(Call(principal=who, operation_id=f"{API}.gather"))
            try:
                found = await source.changes(position, AT_ONCE)
                meant = [(change, await self._translation.events_of(change)) for change in _newest(found.items)]
            finally:
                leave(token)
            self._positions[source.name] = position
            if found.position == position:
                return new
            del self._positions[source.name]  # until it is known what became of it
            written, tell = await self._flows.write(partial(self._keep, source.name, position, found.position, meant))
            await self._flows.signals(tell)
            new += written
            if len(found.items) < AT_ONCE:
                return new

    def _keep(
        self, source: str, before: int, after: int, meant: Sequence[Meant], connection: sa.Connection
    ) -> tuple[int, list[Signal]]:
        """Write what is new and how far the source is read: how much it was, and what a flow that goes on should know."""
        if not advance(connection, source, before, after):  # another process was quicker
            return 0, []
        told = [(change, event) for change, of in meant for event in of(partial(_order_of, connection))]
        new = {id(event) for event in append(connection, [event for _, event in told], self._clock.now())}
        about = {
            (change.position, event.subject): change
            for change, event in told
            if id(event) in new and change.kind in TELLS_FLOWS
        }
        under_way = _under_way(connection, {subject for _, subject in about})
        return len(new), [
            Signal(
                flow_id=subject,
                name=change.kind,
                body=change.record_id.encode(),
                source_id=f"{source}:{change.position}",
            )
            for (_, subject), change in about.items()
            if subject in under_way
        ]

    async def _tidy(self) -> None:
        now = self._clock.monotonic()
        if now - self._tidied >= TIDY_S:
            self._tidied = now
            while await self._flows.write(partial(forget, now=self._clock.now())):
                pass


def _newest(changes: Sequence[Change]) -> list[Change]:
    """The last change of each record, in order: what it is now covers what it was in between."""
    last = {(change.kind, change.record_id, change.place): change for change in changes}
    return sorted(last.values(), key=lambda change: change.position)


def _order_of(connection: sa.Connection, sales_order_id: str) -> str | None:
    return connection.execute(ORDER_OF, {"record": sales_order_id}).scalar()


def _under_way(connection: sa.Connection, flow_ids: Set[str]) -> set[str]:
    """The flows among these that have not ended."""
    return set(connection.execute(UNDER_WAY, {"ids": sorted(flow_ids)}).scalars()) if flow_ids else set()
