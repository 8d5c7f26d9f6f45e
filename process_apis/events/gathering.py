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
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from governance.call import Accounts, Call, Clock, Principal, enter, leave
from governance.contract import Problem
from process_apis.events.event import NewEvent
from process_apis.events.instants import microseconds
from process_apis.events.outbox import append
from process_apis.events.retention import forget
from process_apis.events.tables import event_gatherer, event_links, event_sources
from process_apis.events.translation import OrderOf, Translation
from process_apis.flow.runtime import FlowRuntime
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
        first = _insert(connection)(event_gatherer).values(lease=1, holder="", until_us=0).on_conflict_do_nothing()
        connection.execute(first)
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
                position = await self._flows.read(partial(_position, source=source.name))
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
            for change, flow_id in tell:
                source_id = f"{source.name}:{change.position}"
                await self._flows.signal(flow_id, change.kind, change.record_id.encode(), source_id)
            new += written
            if len(found.items) < AT_ONCE:
                return new

    def _keep(
        self, source: str, before: int, after: int, meant: Sequence[Meant], connection: sa.Connection
    ) -> tuple[int, list[tuple[Change, str]]]:
        """Write what is new and how far the source is read: how much it was, and what a flow that goes on should know."""
        written = 0
        tell: list[tuple[Change, str]] = []
        if not _advance(connection, source, before, after):  # another process was quicker
            return written, tell
        for change, events_of in meant:
            events = events_of(partial(_order_of, connection))
            if new := append(connection, events, self._clock.now()):
                written += new
                if change.kind in TELLS_FLOWS and _goes_on(connection, events[0].subject):
                    tell.append((change, events[0].subject))
        return written, tell

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


def _position(connection: sa.Connection, source: str) -> int:
    query = sa.select(event_sources.c.position).where(event_sources.c.source == source)
    return int(connection.execute(query).scalar() or 0)


def _advance(connection: sa.Connection, source: str, before: int, after: int) -> bool:
    connection.execute(_insert(connection)(event_sources).values(source=source, position=0).on_conflict_do_nothing())
    this = sa.and_(event_sources.c.source == source, event_sources.c.position == before)
    return connection.execute(sa.update(event_sources).where(this).values(position=after)).rowcount > 0


def _order_of(connection: sa.Connection, sales_order_id: str) -> str | None:
    query = sa.select(event_links.c.subject).where(event_links.c.record_id == sales_order_id)
    return connection.execute(query).scalar()


def _goes_on(connection: sa.Connection, flow_id: str) -> bool:
    query = sa.select(flow_rows.c.flow_id).where(flow_rows.c.flow_id == flow_id, sa.not_(flow_rows.c.ended))
    return connection.execute(query).first() is not None


def _insert(connection: sa.Connection) -> Any:
    return sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
