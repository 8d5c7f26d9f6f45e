"""Reports: what vendors told by webhook that their records do not show, such as a dispute or a channel's new order.

Each notice becomes an event, once: its source id is the vendor's own id of it. The flow that it
concerns is told before its place is kept, under the same id, so that a process that dies in between
tells it again and the flow hears it once. What a notice names is asked of the system of record; of a
record that is not there nothing is said. A system that is away is asked again at the next look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import sqlalchemy as sa
from msgspec import Struct

from governance.call import Accounts, Call, Clock, Principal, enter, leave
from governance.contract import Problem
from process_apis.events.event import NewEvent
from process_apis.events.outbox import append
from process_apis.events.sources import advance, position_of
from process_apis.flow.runtime import FlowRuntime

log = logging.getLogger("tiergate.events")
LOOK_S = 1.0
AT_ONCE = 100


class Report(Struct, frozen=True, kw_only=True):
    """What one notice comes to."""

    events: tuple[NewEvent, ...] = ()
    flow_id: str = ""
    """The flow that is told; empty for none."""
    signal: str = ""
    body: bytes = b""
    source_id: str = ""
    cancels: str = ""
    """Why the flow is to turn back, if it still can."""


class Read(Struct, frozen=True, kw_only=True):
    """Some reports, oldest first, and where to go on."""

    reports: tuple[Report, ...]
    position: int


class Reports:
    """Reads the notices of one system for as long as the process lives."""

    def __init__(
        self, flows: FlowRuntime, clock: Clock, source: str, read: Callable[[int, int], Awaitable[Read]], *, api: str
    ) -> None:
        """Read under the name ``source``, in the name of ``api``."""
        self._flows = flows
        self._clock = clock
        self._source = source
        self._read = read
        self._api = api
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._go(), name=self._source)

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> int:
        """Hand on everything that was not handed on; how many events were new.

        Raises:
            SystemUnavailable: the database or the system is away.
        """
        new = 0
        while True:
            position = await self._flows.read(partial(position_of, source=self._source))
            found = await self._asked(position)
            if found.position == position:
                return new
            for report in found.reports:
                await self._tell(report)
            events = [event for report in found.reports for event in report.events]
            new += await self._flows.write(partial(self._keep, before=position, after=found.position, events=events))

    async def _asked(self, position: int) -> Read:
        who = Principal(subject=self._api, client_id=self._api, acting_api=self._api, accounts=Accounts(reach="all"))
        token = enter(Call(principal=who, operation_id=f"{self._api}.gather"))
        try:
            return await self._read(position, AT_ONCE)
        finally:
            leave(token)

    async def _tell(self, report: Report) -> None:
        if not report.flow_id:
            return
        await self._flows.signal(report.flow_id, report.signal, report.body, report.source_id)
        if report.cancels:
            await self._flows.cancel(report.flow_id, report.cancels)

    def _keep(self, connection: sa.Connection, before: int, after: int, events: Sequence[NewEvent]) -> int:
        if not advance(connection, self._source, before, after):  # another process was quicker
            return 0
        return len(append(connection, events, self._clock.now()))

    async def _go(self) -> None:
        while True:
            try:
                if self._flows.running:
                    await self.look()
            except Problem as problem:
                log.info("%s can't be read now: %s", self._source, problem.detail or problem.title)
            await asyncio.sleep(LOOK_S)
