"""A process's time in its place: it takes the place, looks after it, and gives it up.

While it waits for a place it looks every ``TAKE_OVER_S``. Once in it, it takes over what dead
holders of other places left, and queues the flows at rest whose time has come. When the database is
away, both wait for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from process_apis.flow.resting import wake_due
from process_apis.flow.settings import FlowSettings
from process_apis.flow.slot import Place
from process_apis.flow.table import Flow

if TYPE_CHECKING:
    from process_apis.flow.host import Host

log = logging.getLogger("tiergate.flow")
TAKE_OVER_S = 0.25
AWAY_S = 1.0
Write = Callable[[Callable[[sa.Connection], list[str]]], Awaitable[list[str]]]


class Tenure:
    """One process's hold on a place from which flows are run."""

    def __init__(self, place: Place, host: Host, settings: FlowSettings, clock: Clock, write: Write) -> None:
        self._place = place
        self._host = host
        self._look_s = settings.look_s
        self._clock = clock
        self._write = write
        self._carried: Sequence[tuple[Flow[Any], object]] = ()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, carried: Sequence[tuple[Flow[Any], object]]) -> None:
        """Take the place for these flows, each with the object whose methods its steps are, or wait for it."""
        self._carried = carried
        await self._take()
        self._tasks = [asyncio.create_task(self._look_after()), asyncio.create_task(self._wake_due())]

    async def stop(self) -> None:
        """Look after the place no longer; it is still held."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def release(self) -> None:
        """Give the place to whoever waits."""
        await asyncio.to_thread(self._place.release)

    async def _take(self) -> None:
        executor = await asyncio.to_thread(self._place.take)
        if executor is not None:
            await self._host.launch(executor, self._carried)

    async def _look_after(self) -> None:
        place, host = self._place, self._host
        while place.shared or not host.launched:
            await asyncio.sleep(TAKE_OVER_S)
            try:
                if not host.launched:
                    await self._take()
                elif fallen := await asyncio.to_thread(lambda: place.fallen(host.executors())):
                    await asyncio.to_thread(host.take_over, fallen)
                    await asyncio.to_thread(place.settled, fallen)
            except SQLAlchemyError as error:  # the database is away; flows wait for it, and so do we
                log.warning("the flows can't be looked after: %s", error)
                await asyncio.sleep(AWAY_S)

    async def _wake_due(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            if not self._host.launched:
                continue
            try:
                await self._write(partial(wake_due, now=self._clock.now(), enqueue=self._host.enqueue))
            except SystemUnavailable as error:
                log.warning("flows that fall due can't be found: %s", error)
                await asyncio.sleep(AWAY_S)
