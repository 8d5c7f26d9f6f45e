"""What a thread did, told to those who wait for it on event loops: each loop is woken once for all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

Outcome = tuple[asyncio.Future[Any], Any, BaseException | None]
"""Who waits, and the result or the error."""


def announce(outcomes: Sequence[Outcome]) -> None:
    """Settle these futures on their own loops, from any thread; who went away is passed over."""
    for loop in {future.get_loop() for future, _, _ in outcomes}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, [outcome for outcome in outcomes if outcome[0].get_loop() is loop])


def _settle(outcomes: Sequence[Outcome]) -> None:
    for future, result, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
