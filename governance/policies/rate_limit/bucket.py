"""A rate under one name, with everything about it that does not change from call to call.

A token bucket of burst b and interval T is announced as ``q=b`` units in ``w=b·T`` seconds: what
may be spent at once, and how long it takes to come back; their ratio is the sustained rate.
Standard: draft-ietf-httpapi-ratelimit-headers-11 §3.1.
"""

from __future__ import annotations

from msgspec import Struct

from governance.policies.rate_limit.limit import RateLimit


class Bucket(Struct, frozen=True, kw_only=True):
    """A named rate, prepared for the store and for the headers."""

    name: str
    limit: RateLimit
    arguments: tuple[bytes, ...]
    """Interval (µs) and burst, as the script takes them."""
    policy_item: bytes
    """Its member of ``RateLimit-Policy``."""

    @classmethod
    def of(cls, name: str, limit: RateLimit) -> Bucket:
        """The bucket ``name`` (an identifier of ours: letters, digits, ``.``, ``_``)."""
        return cls(
            name=name,
            limit=limit,
            arguments=(b"%d" % limit.interval_us, b"%d" % limit.burst),
            policy_item=b'"%b";q=%d;w=%d' % (name.encode("ascii"), limit.burst, limit.refill_s),
        )

    def share(self, part: float) -> RateLimit:
        """What one process admits of it while the store is away."""
        return self.limit.share(part)
