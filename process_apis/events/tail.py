"""The tail of the log: one reader a process, for everyone here who waits for what happens next.

It looks at the log only while somebody waits, every ``LOOK_S``, and gives each event to those who
want it from memory; so a thousand who wait cost as much reading as one. Nobody is waited for: what a
slow one does not take is dropped for it, and it reads the log itself from where it stopped.

While the database is away nothing is heard; what happened meanwhile is read when it is back.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from process_apis.events.event import Event
from process_apis.events.log import Wanted, events_after, settled
from process_apis.flow.runtime import FlowRuntime

log = logging.getLogger("tiergate.events")
LOOK_S = 0.2
AWAY_S = 1.0
AT_ONCE = 500
MOST_KEPT = 256
"""Events that wait in memory for one who does not take them."""


class Listener:
    """One who waits: what happened since, as far as it is kept."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.kept: deque[Event] = deque()
        self.behind = False
        """More happened than was kept: the log has it."""
        self.news = asyncio.Event()

    def hear(self, event: Event) -> None:
        """Keep an event, or note that it was not kept."""
        if self.behind or len(self.kept) >= MOST_KEPT:
            self.behind = True
        else:
            self.kept.append(event)
        self.news.set()


class Tail:
    """Follows the log in this process."""

    def __init__(self, flows: FlowRuntime, clock: Clock) -> None:
        self._flows = flows
        self._clock = clock
        self._listeners: dict[str | None, set[Listener]] = {}
        self._task: asyncio.Task[None] | None = None
        self._position = 0
        self._begun: asyncio.Future[None] | None = None

    async def after(self, position: int, wanted: Wanted, limit: int, wait_s: float = 0.0) -> list[Event]:
        """Up to ``limit`` wanted events above ``position``; none after ``wait_s`` without one.

        Raises:
            SystemUnavailable: the database is away.
        """
        if not wait_s:
            return await self._read(position, wanted, limit)
        async with self._listening(wanted) as listener:
            found = await self._read(position, wanted, limit, self._position)
            until = self._clock.monotonic() + wait_s
            while not found and (left_s := until - self._clock.monotonic()) > 0:
                await self._heard(listener, left_s)
                found = await self._read(position, wanted, limit, self._position)
            return found

    async def follow(self, position: int, wanted: Wanted) -> AsyncGenerator[Event, None]:
        """Every wanted event above ``position``, in the order of the log, as it happens; without end.

        Raises:
            SystemUnavailable: the database is away.
        """
        async with self._listening(wanted) as listener:
            while True:
                listener.kept.clear()
                listener.behind = False
                told = self._position  # what was told before this one listened is in the log, and settled
                while page := await self._read(position, wanted, AT_ONCE, told):
                    for event in page:
                        yield event
                    position = page[-1].position
                while not listener.behind:
                    while listener.kept:
                        event = listener.kept.popleft()
                        if event.position > position:
                            position = event.position
                            yield event
                    if not listener.behind:
                        await self._heard(listener, None)

    async def _read(self, position: int, wanted: Wanted, limit: int, at_least: int = 0) -> list[Event]:
        read = partial(events_after, position=position, limit=limit, wanted=wanted, at_least=at_least)
        return await self._flows.read(read)

    async def _heard(self, listener: Listener, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await listener.news.wait()
        except TimeoutError:
            return
        listener.news.clear()

    @asynccontextmanager
    async def _listening(self, wanted: Wanted) -> AsyncGenerator[Listener]:
        listener = Listener(wanted)
        self._listeners.setdefault(wanted.subject, set()).add(listener)
        try:
            await self._begin()
            yield listener
        finally:
            those = self._listeners[wanted.subject]
            those.discard(listener)
            if not those:
                del self._listeners[wanted.subject]
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = self._begun = None

    async def _begin(self) -> None:
        """Have the tail stand at the end of the log, so that whatever is committed from now on is heard."""
        if self._begun is None:
            begun = self._begun = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._go(begun))
        await asyncio.shield(self._begun)

    async def _go(self, begun: asyncio.Future[None]) -> None:
        try:
            self._position = await self._flows.read(settled)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait for the beginning are told
            self._begun = None
            begun.set_exception(error)
            return
        begun.set_result(None)
        while True:
            try:
                page = await self._read(self._position, Wanted(), AT_ONCE)
            except SystemUnavailable as error:
                log.warning("the log can't be followed now: %s", error.detail)
                await asyncio.sleep(AWAY_S)
                continue
            for event in page:
                self._tell(event)
                self._position = event.position
            if len(page) < AT_ONCE:
                await asyncio.sleep(LOOK_S)

    def _tell(self, event: Event) -> None:
        for subject in (event.subject, None):
            for listener in self._listeners.get(subject, ()):
                if listener.wanted.admits(event):
                    listener.hear(event)
