"""The slots in which steps are done and recorded: as many at once as there are, the most urgent flow first.

Flows of one priority take turns in the order in which they asked, so a flood of low priority delays
a flow of high priority by one step at most. Who has waited long becomes more urgent, so that a flood of
high priority does not stop the others.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count

HEAD_START_S = 3.0
"""A flow goes before those of the next lower priority that have waited less than this longer."""


class Slots:
    """A semaphore that admits by priority; the lowest number is the most urgent."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._order = count()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @property
    def waiting(self) -> int:
        """Who waits for a slot."""
        return len(self._waiting)

    @asynccontextmanager
    async def one(self, priority: int) -> AsyncGenerator[None]:
        """A slot, once there is one for this priority."""
        await self.take(priority)
        try:
            yield
        finally:
            self.give_back()

    async def take(self, priority: int) -> None:
        """Wait for a slot; whoever has one gives it back."""
        if self._free:
            self._free -= 1
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        heapq.heappush(self._waiting, (loop.time() + priority * HEAD_START_S, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # the slot came in the same moment
                self.give_back()
            raise

    def give_back(self) -> None:
        """Hand the slot to the most urgent that waits."""
        while self._waiting:
            turn = heapq.heappop(self._waiting)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
