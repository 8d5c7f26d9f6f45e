"""The limit while the store is away: the same algorithm in this process, on its own monotonic clock.

Each process admits at most the declared share of every limit, so n of them admit at most n shares.
Memory is bounded: beyond ``CLIENTS`` busy clients a new one is refused until another's bucket is full again.
"""

from __future__ import annotations

from collections.abc import Sequence

from governance.call.clock import Clock
from governance.policies.rate_limit.bucket import Bucket, Verdict

CLIENTS = 100_000


class LocalBuckets:
    """Buckets of this process. ``take`` judges one call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._arrivals_us: dict[bytes, int] = {}

    def take(self, keys: Sequence[bytes], buckets: Sequence[Bucket]) -> Verdict:
        """The verdict on one call; it costs only where every bucket admits it."""
        now = int(self._clock.monotonic() * 1_000_000)
        arrivals = [max(now, self._arrivals_us.get(key, now)) for key in keys]
        admitted = self._has_room(keys, now) and all(
            arrival - now <= bucket.limit.interval_us * (bucket.limit.burst - 1)
            for arrival, bucket in zip(arrivals, buckets, strict=True)
        )
        if admitted:
            arrivals = [at + bucket.limit.interval_us for at, bucket in zip(arrivals, buckets, strict=True)]
            self._arrivals_us.update(zip(keys, arrivals, strict=True))
        verdict = [int(admitted), now]
        for at, bucket in zip(arrivals, buckets, strict=True):
            interval, burst, ahead = bucket.limit.interval_us, bucket.limit.burst, at - now
            verdict += ((interval * burst - ahead) // interval, max(0, ahead - interval * (burst - 1)), ahead)
        return verdict

    def _has_room(self, keys: Sequence[bytes], now: int) -> bool:
        if len(self._arrivals_us) < CLIENTS or all(key in self._arrivals_us for key in keys):
            return True
        self._arrivals_us = {key: at for key, at in self._arrivals_us.items() if at > now}
        return len(self._arrivals_us) < CLIENTS
