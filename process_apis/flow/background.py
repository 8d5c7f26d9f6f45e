"""Flows beside requests: while somebody waits for an answer, flows come one at a time.

A flow that is about to begin something lets requests under way end first, for a moment only
(``Foreground``). When they don't end, because ever more come, it goes on beside them, but only one flow
does at a time, the most urgent first: so requests share the process with one of them and not with a
thousand. One that takes long holds nobody up, so flows get slower in a burst and are never stopped by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from governance.call import Foreground
from process_apis.flow.slots import Slots

LONGEST_S = 0.05
"""After this long the next flow may go on as well."""


class Background:
    """The way past the requests of one process."""

    def __init__(self, foreground: Foreground) -> None:
        self._foreground = foreground
        self._narrow = Slots(1)

    @property
    def waiting(self) -> int:
        """Flows that wait for the one before them."""
        return self._narrow.waiting

    @asynccontextmanager
    async def turn(self, priority: int) -> AsyncGenerator[None]:
        """Go on once requests allow for it."""
        await self._foreground.give_way()
        if not self._foreground.busy:
            yield
            return
        await self._narrow.take(priority)
        through = asyncio.Event()

        def give_back() -> None:
            if not through.is_set():
                through.set()
                self._narrow.give_back()

        late = asyncio.get_running_loop().call_later(LONGEST_S, give_back)
        try:
            yield
        finally:
            late.cancel()
            give_back()
