"""The limit while the store is away: the same algorithm in this process, on its own monotonic clock.

Each process admits at most the declared share of every limit, so n of them admit at most n shares;
a quota becomes a rate over its period. Memory is bounded: beyond ``CLIENTS`` busy clients a new one
is refused until another's bucket is full again.
"""

from __future__ import annotations

from collections.abc import Sequence

from governance.call.clock import Clock
from governance.policies.rate_limit.terms import Terms, Verdict

CLIENTS = 100_000


class LocalBuckets:
    """Buckets of this process. ``take`` judges one call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._arrivals_us: dict[bytes, int] = {}

    def take(self, keys: Sequence[bytes], shares: Terms) -> Verdict:
        """The verdict on one call; it costs only where every limit admits it."""
        limits = shares.rates
        now = int(self._clock.monotonic() * 1_000_000)
        arrivals = [max(now, self._arrivals_us.get(key, now)) for key in keys]
        costs = [min(shares.cost, limit.burst) for limit in limits]  # a share may be smaller than what one call costs
        admitted = self._has_room(keys, now) and all(
            arrival - now <= limit.interval_us * (limit.burst - one)
            for arrival, limit, one in zip(arrivals, limits, costs, strict=True)
        )
        if admitted:
            arrivals = [at + limit.interval_us * one for at, limit, one in zip(arrivals, limits, costs, strict=True)]
            self._arrivals_us.update(zip(keys, arrivals, strict=True))
        verdict = [int(admitted), now]
        for at, limit, one in zip(arrivals, limits, costs, strict=True):
            interval, burst, ahead = limit.interval_us, limit.burst, at - now
            remaining = (interval * burst - ahead) // interval
            verdict += (remaining, max(0, ahead - interval * (burst - one)), ahead - interval * (burst - remaining - 1))
        return verdict

    def _has_room(self, keys: Sequence[bytes], now: int) -> bool:
        if len(self._arrivals_us) < CLIENTS or all(key in self._arrivals_us for key in keys):
            return True
        self._arrivals_us = {key: at for key, at in self._arrivals_us.items() if at > now}
        return len(self._arrivals_us) < CLIENTS
