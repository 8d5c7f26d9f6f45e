"""Who waits for an answer now: work in the background gives way to it.

One process answers requests and carries flows through their steps. A request has somebody who waits,
so a flow that is about to begin something lets requests under way end first, for a moment only:
flows get slower in a burst, and are never stopped by it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress

MOST_S = 0.25
"""The longest that something in the background holds back for, in seconds."""
ELSEWHERE_S = 0.02
"""What holds back on another event loop than the one where others do."""


class Foreground:
    """The requests under way in one process that somebody waits for."""

    def __init__(self) -> None:
        self._under_way = 0
        self._quiet: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        """Where somebody waits for quiet."""

    @property
    def busy(self) -> bool:
        """Whether any request is under way."""
        return self._under_way > 0

    def begin(self) -> None:
        """A request begins."""
        self._under_way += 1

    def end(self) -> None:
        """It ended."""
        self._under_way -= 1
        if self._under_way == 0 and self._quiet is not None:
            self._quiet.set()
            self._quiet = None

    @contextmanager
    def resting(self) -> Generator[None]:
        """The request under way only waits for what happens in the background; a caller that is no request does so too."""
        if self._under_way == 0:
            yield
            return
        self.end()
        try:
            yield
        finally:
            self.begin()

    async def give_way(self, most_s: float = MOST_S) -> None:
        """Wait until no request is under way, or for ``most_s`` seconds."""
        if self._under_way == 0:
            return
        loop = asyncio.get_running_loop()
        if self._quiet is None:
            self._quiet, self._loop = asyncio.Event(), loop
        if self._loop is not loop:  # the workflow engine has one of its own, for what it takes up by itself
            await asyncio.sleep(min(most_s, ELSEWHERE_S))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._quiet.wait()
