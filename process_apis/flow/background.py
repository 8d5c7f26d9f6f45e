"""Flows beside requests: a few at a time, and one at a time while somebody waits for an answer.

A flow that is about to begin something lets requests under way end first, for a moment only
(``Foreground``). Then it goes on with a few others, the most urgent first: the flows that a burst left waiting don't
all begin in the same gap between two requests, which the next request would have to share the process with. When
requests don't end, because ever more come, flows go on beside them, one at a time. One that takes long holds
nobody up, so flows get slower in a burst and are never stopped by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from governance.call import Foreground
from process_apis.flow.slots import Slots

AT_ONCE = 6
"""Flows that begin something at a time where no request is under way: more wait for each other in the interpreter."""
LONGEST_S = 0.05
"""After this long the next flow may go on as well."""


class Background:
    """The way past the requests of one process."""

    def __init__(self, foreground: Foreground) -> None:
        self._foreground = foreground
        self._wide = Slots(AT_ONCE)
        self._narrow = Slots(1)

    @property
    def waiting(self) -> int:
        """Flows that wait for those before them."""
        return self._wide.waiting + self._narrow.waiting

    @asynccontextmanager
    async def turn(self, priority: int) -> AsyncGenerator[None]:
        """Go on once requests allow for it."""
        slots = await self._admitted(priority)
        through = asyncio.Event()

        def give_back() -> None:
            if not through.is_set():
                through.set()
                slots.give_back()

        late = asyncio.get_running_loop().call_later(LONGEST_S, give_back)
        try:
            yield
        finally:
            late.cancel()
            give_back()

    async def _admitted(self, priority: int) -> Slots:
        """A slot was taken of what is returned."""
        await self._foreground.give_way()
        if not self._foreground.busy:
            await self._wide.take(priority)
            if not self._foreground.busy:
                return self._wide
            self._wide.give_back()
        await self._narrow.take(priority)
        return self._narrow
