"""Politeness: how many requests may be under way, and how many begin each second.

Requests with bad tokens have a slower pace of their own, below what a peer may send before it is
held back, so that a run never keeps other clients behind the same address waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from msgspec import Struct

from governance.call import Clock
from governance.prove.reply import Reply, Send


class Pace(Struct, frozen=True, kw_only=True):
    """What a run asks of a gateway at most."""

    at_once: int = 8
    per_s: float = 400.0
    bad_tokens_per_s: float = 40.0


class Lane:
    """Lets requests begin one after another, evenly."""

    def __init__(self, clock: Clock, per_s: float) -> None:
        self._clock = clock
        self._every_s = 1 / per_s
        self._next_s = 0.0

    async def turn(self) -> None:
        """Return when the next request may begin."""
        now = self._clock.monotonic()
        begin = max(now, self._next_s)
        self._next_s = begin + self._every_s
        if begin > now:
            await asyncio.sleep(begin - now)


class Courteous:
    """A sender that keeps the pace."""

    def __init__(self, send: Send, pace: Pace, clock: Clock) -> None:
        self._send = send
        self._places = asyncio.Semaphore(pace.at_once)
        self._all = Lane(clock, pace.per_s)
        self.bad_tokens = Lane(clock, pace.bad_tokens_per_s)
        self.requests = 0
        """Sent so far."""

    async def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """The answer, once it was the request's turn."""
        await self._all.turn()
        async with self._places:
            self.requests += 1
            return await self._send(method, target, headers, body)
