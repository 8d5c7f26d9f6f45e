"""A quota under its name, with the period that it is in by the store's clock.

It is announced with the period's real length: ``w=86400``, or 82800 on the day when clocks go forward.
Standard: draft-ietf-httpapi-ratelimit-headers-11 §3.1.
"""

from __future__ import annotations

from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.quota import Quota, window_at


class Counter:
    """A quota, prepared for the store and for the headers. ``turn`` it when its period is over."""

    def __init__(self, quota: Quota, now_us: int) -> None:
        self.quota = quota
        self.name = quota.name
        self.turn(now_us)

    def turn(self, now_us: int) -> None:
        """Stand in the period that holds ``now_us`` (µs since 1970, the store's)."""
        window = window_at(self.quota.period, self.quota.zone, now_us)
        self.window = window
        times = (self.quota.amount, window.start_us, window.end_us, window.next_end_us)
        self.arguments = tuple([b"%d" % number for number in times])
        """Amount and the bounds of two periods, as the script takes them."""
        self.policy_item = b'"%b";q=%d;w=%d' % (self.name.encode("ascii"), self.quota.amount, window.length_s)

    def share(self, part: float) -> RateLimit:
        """What one process admits of it while the store is away: its part, spread over the period."""
        burst = max(1, int(self.quota.amount * part))
        return RateLimit(burst, -(-self.window.length_s * 1_000_000 // burst))
