"""A bucket: one limit under one name, with everything about it that does not change from call to call.

Header fields follow draft-ietf-httpapi-ratelimit-headers-11 (``RateLimit-Policy`` §3, ``RateLimit`` §4).
A token bucket of burst b and interval T is announced as ``q=b`` calls in ``w=b·T`` seconds: what
may be spent at once, and how long it takes to come back; their ratio is the sustained rate.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from governance.call import Headers
from governance.policies.rate_limit.limit import RateLimit


class Bucket(Struct, frozen=True, kw_only=True):
    """A named limit, prepared for the store and for the headers."""

    name: str
    limit: RateLimit
    arguments: tuple[bytes, bytes]
    """Interval (µs) and burst, as the script takes them."""
    policy_item: bytes
    """Its member of ``RateLimit-Policy``."""
    state_item: bytes
    """Its member of ``RateLimit``, with room for remaining calls and seconds."""

    @classmethod
    def of(cls, name: str, limit: RateLimit) -> Bucket:
        """The bucket ``name`` (an identifier of ours: letters, digits, ``.``, ``_``)."""
        quoted = b'"%b"' % name.encode("ascii")
        return cls(
            name=name,
            limit=limit,
            arguments=(b"%d" % limit.interval_us, b"%d" % limit.burst),
            policy_item=b"%b;q=%d;w=%d" % (quoted, limit.burst, limit.refill_s),
            state_item=quoted + b";r=%d;t=%d",
        )

    def key(self, client_id: str) -> bytes:
        """Where the store keeps the bucket of one client; all of a client's lie in one cluster slot."""
        return f"limit:{{{client_id}}}:{self.name}".encode()


Verdict = list[int]
"""Admitted (1 or 0), the clock's µs, then per bucket: calls that remain, µs until one is admitted, µs until full."""


def announce(headers: Headers, buckets: Sequence[Bucket], verdict: Verdict) -> None:
    """Add both header fields for ``buckets`` as they stand after ``verdict``."""
    if len(buckets) == 1:  # nearly always: worth 1 µs
        bucket = buckets[0]
        headers.append((b"ratelimit-policy", bucket.policy_item))
        headers.append((b"ratelimit", bucket.state_item % (verdict[2], -(-verdict[4] // 1_000_000))))
        return
    headers.append((b"ratelimit-policy", b", ".join(bucket.policy_item for bucket in buckets)))
    states = [
        bucket.state_item % (remaining, -(-reset_us // 1_000_000))
        for bucket, remaining, reset_us in zip(buckets, verdict[2::3], verdict[4::3], strict=True)
    ]
    headers.append((b"ratelimit", b", ".join(states)))


def retry_after_s(verdict: Verdict) -> int:
    """Whole seconds, at least one, after which every bucket admits a call."""
    return max(1, -(-max(verdict[3::3]) // 1_000_000))
