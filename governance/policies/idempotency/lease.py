"""Keeps a claim alive while its holder works: a renewal each third of the lease, from a timer, not a task.

A call that ends sooner costs one timer. A renewal that the store does not answer is tried again at
the next beat; one that finds the claim gone stops the beat, for the token already fences us off.
"""

from __future__ import annotations

import asyncio

from governance.policies.idempotency.claims import Claim
from governance.store import StoreError

BEATS_A_LEASE = 3


class Lease:
    """The heartbeat of one claim, from ``begin`` to ``end``."""

    __slots__ = ("_beat", "_claim", "_every_s", "_loop", "_timer")

    def __init__(self, claim: Claim, lease_s: int) -> None:
        self._claim = claim
        self._every_s = lease_s / BEATS_A_LEASE
        self._loop = asyncio.get_running_loop()
        self._beat: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(self._every_s, self._start_beat)

    def end(self) -> None:
        """Stop renewing."""
        self._timer.cancel()
        if self._beat is not None:
            self._beat.cancel()

    def _start_beat(self) -> None:
        self._beat = self._loop.create_task(self._renew(), name="idempotency lease")

    async def _renew(self) -> None:
        try:
            held = await self._claim.renew()
        except StoreError:
            held = True  # unknown: another try may still come in time
        if held:
            self._timer = self._loop.call_later(self._every_s, self._start_beat)
