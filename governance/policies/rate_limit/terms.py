"""The terms of one operation under one plan: every rate and quota that a call of it is held to.

Header fields follow draft-ietf-httpapi-ratelimit-headers-11: ``RateLimit-Policy`` (§3) and ``RateLimit``
(§4), whose ``t`` is the effective window of §4.1.2: for so long no more than ``r`` units are there.
"""

from __future__ import annotations

from collections.abc import Sequence

from governance.call import Headers
from governance.policies.rate_limit.bucket import Bucket
from governance.policies.rate_limit.counter import Counter
from governance.store import Arguments

Verdict = list[int]
"""Admitted (1, 0, or -1 for a wrong period), the clock's µs, then for each limit: units that remain, µs until
the call would be admitted, µs until more units are there."""

NEVER_US = 2**63


class Terms:
    """Prepared for the store and for the headers; the same for all clients of a plan."""

    def __init__(self, cost: int, buckets: Sequence[Bucket], counters: Sequence[Counter] = ()) -> None:
        self.cost = cost
        self.limits: tuple[Bucket | Counter, ...] = (*buckets, *counters)
        self.rates = tuple([bucket.limit for bucket in buckets])
        self._counters = tuple(counters)
        self._head = (b"%d" % cost, b"%d" % len(buckets))
        self._suffixes = tuple([f"}}:{limit.name}" for limit in self.limits])
        self._state = b", ".join([b'"%b";r=%%d;t=%%d' % limit.name.encode("ascii") for limit in self.limits])
        self._share: Terms | None = None
        self._prepare()

    def _prepare(self) -> None:
        self.arguments = Arguments((*self._head, *[part for limit in self.limits for part in limit.arguments]))
        self.policy = (b"ratelimit-policy", b", ".join([limit.policy_item for limit in self.limits]))
        self.until_us = min((counter.window.end_us for counter in self._counters), default=NEVER_US)
        """The store's time from which ``turn`` is due."""

    def turn(self, now_us: int) -> None:
        """Let every quota stand in the period that holds ``now_us``, the store's time."""
        for counter in self._counters:
            counter.turn(now_us)
        self._prepare()

    def keys(self, client_id: str) -> list[bytes]:
        """Where the store keeps the limits of one client; all of a client's lie in one cluster slot."""
        place = f"limit:{{{client_id}"
        return [(place + suffix).encode() for suffix in self._suffixes]

    def announce(self, headers: Headers, verdict: Verdict) -> None:
        """Add both header fields for the limits as they stand after ``verdict``."""
        headers.append(self.policy)
        if len(verdict) == 5:  # one limit, as nearly always: worth 0.5 µs
            headers.append((b"ratelimit", self._state % (verdict[2], -(-verdict[4] // 1_000_000))))
            return
        numbers: list[int] = []
        for at in range(2, len(verdict), 3):
            numbers += (verdict[at], -(-verdict[at + 2] // 1_000_000))
        headers.append((b"ratelimit", self._state % tuple(numbers)))

    def share(self, part: float) -> Terms:
        """What one process admits of them while the store is away."""
        if self._share is None:
            self._share = Terms(self.cost, [Bucket.of(limit.name, limit.share(part)) for limit in self.limits])
        return self._share

    def exceeded(self, verdict: Verdict) -> list[str]:
        """The names of the limits that refused the call."""
        return [limit.name for limit, wait_us in zip(self.limits, verdict[3::3], strict=True) if wait_us > 0]


def retry_after_s(verdict: Verdict) -> int:
    """Whole seconds, at least one, after which every limit admits the call."""
    return max(1, -(-max(verdict[3::3]) // 1_000_000))
