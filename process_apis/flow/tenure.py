"""A process's time in its place: it takes the place, looks after it, and gives it up.

While it waits for a place it looks every ``TAKE_OVER_S``. Once in it, it takes over what dead
holders of other places left, queues the flows at rest whose time has come, and forgets what is too
old. When the database is away, all of that waits for it.

It looks in a thread of its own: however much the flows of this process have to do, those of a dead one
don't wait behind it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from process_apis.flow.resting import wake_due
from process_apis.flow.retention import AT_ONCE, Forget, forget_notes
from process_apis.flow.settings import FlowSettings
from process_apis.flow.slot import Place
from process_apis.flow.table import Flow
from process_apis.flow.timeline import microseconds

if TYPE_CHECKING:
    from process_apis.flow.host import Host

T = TypeVar("T")
log = logging.getLogger("tiergate.flow")
TAKE_OVER_S = 0.25
LOOK_AGAIN_S = 0.5
"""After a look that found no database: sooner than others think that this process is dead (``LOOKS_GIVEN``)."""
AWAY_S = 1.0
PAUSE_S = 0.2
Write = Callable[[Callable[[sa.Connection], Any]], Awaitable[Any]]


class Tenure:
    """One process's hold on a place from which flows are run."""

    def __init__(
        self,
        place: Place,
        host: Host,
        settings: FlowSettings,
        clock: Clock,
        write: Write,
        forgets: Sequence[Forget] = (),
    ) -> None:
        self._place = place
        self._host = host
        self._settings = settings
        self._clock = clock
        self._write = write
        self._forgets = forgets
        self._carried: Sequence[tuple[Flow[Any], object]] = ()
        self._tasks: list[asyncio.Task[None]] = []
        self._looking = ThreadPoolExecutor(1, thread_name_prefix="flow-places")

    async def start(self, carried: Sequence[tuple[Flow[Any], object]]) -> None:
        """Take the place for these flows, each with the object whose methods its steps are, or wait for it."""
        self._carried = carried
        await self._take()
        self._tasks = [asyncio.create_task(work()) for work in (self._look_after, self._wake_due, self._tidy)]

    async def stop(self) -> None:
        """Look after the place no longer; it is still held."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def release(self) -> None:
        """Give the place to whoever waits."""
        await self._aside(self._place.release)
        self._looking.shutdown(wait=False)

    async def _take(self) -> None:
        executor = await self._aside(self._place.take)
        if executor is not None:
            await self._host.launch(executor, self._carried)

    async def _look_after(self) -> None:
        place, host = self._place, self._host
        while place.shared or not host.launched:
            await asyncio.sleep(TAKE_OVER_S)
            try:
                await _whole(self._take_over() if host.launched else self._take())
            except SQLAlchemyError as error:  # the database is away; flows wait for it, and so do we
                log.warning("the flows can't be looked after: %s", error)
                await asyncio.sleep(LOOK_AGAIN_S)

    async def _take_over(self) -> None:
        place, host = self._place, self._host
        if fallen := await self._aside(lambda: place.fallen(host.executors())):
            await self._aside(partial(host.take_over, fallen))
            await self._aside(partial(place.settled, fallen))

    async def _aside(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._looking, work)

    async def _wake_due(self) -> None:
        while True:
            await asyncio.sleep(self._settings.look_s)
            if not self._host.launched:
                continue
            try:
                await self._write(partial(wake_due, now=self._clock.now(), enqueue=self._host.enqueue))
            except SystemUnavailable as error:
                log.warning("flows that fall due can't be found: %s", error)
                await asyncio.sleep(AWAY_S)

    async def _tidy(self) -> None:
        """Forget what is too old, some at a time, and the sooner again where there is more."""
        more = False
        while True:
            await asyncio.sleep(PAUSE_S if more else self._settings.tidy_s)
            try:
                more = self._host.launched and await _whole(self._forgotten())
            except (SQLAlchemyError, SystemUnavailable) as error:
                more = False
                log.warning("what is too old can't be forgotten now: %s", error)

    async def _forgotten(self) -> bool:
        now, settings = self._clock.now(), self._settings
        legs = await asyncio.to_thread(self._host.forget, now, timedelta(days=settings.engine_days))
        kept = timedelta(days=settings.timeline_days)
        before_us = microseconds(now - kept)
        left = [await self._write(partial(forget, before_us=before_us)) for forget in (forget_notes, *self._forgets)]
        return AT_ONCE in (legs, *left)


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` returns; whoever is cancelled meanwhile goes once it has ended, which no thread does before."""
    working = asyncio.create_task(work)
    try:
        return await asyncio.shield(working)
    finally:
        await asyncio.wait({working})
