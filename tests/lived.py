"""Time as an event loop lives through it: a bound on it holds on a machine however busy, and still fails who waits.

A moment in which the process did not get to run counts once, however long it was: bounds are for what our own
code waits for, not for what others do with the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

MOMENT_S = 0.005


@asynccontextmanager
async def lived() -> AsyncGenerator[Callable[[], float]]:
    """Gives the seconds that the loop has lived through since the block began; at most those of the clock."""
    moments = 0

    async def count() -> None:
        nonlocal moments
        while True:
            await asyncio.sleep(MOMENT_S)
            moments += 1

    counting = asyncio.create_task(count())
    try:
        yield lambda: moments * MOMENT_S
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
