"""The totals of documents: tax per rate on the sum of the lines of that rate, rounded half-up once each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from system_apis.canonical.values import half_up


def tax_on(lines: Iterable[tuple[int, int]]) -> int:
    """The tax, in minor units, on lines of (net in minor units, rate in basis points)."""
    per_rate: defaultdict[int, int] = defaultdict(int)
    for net, rate_bp in lines:
        per_rate[rate_bp] += net
    return sum(half_up(net * rate_bp, 10_000) for rate_bp, net in per_rate.items())


def part_of(whole_net: int, whole: int, done: int, done_net: int, quantity: int) -> int:
    """The net of ``quantity`` more units of a line, so that all parts together are exactly the line's net."""
    return half_up(whole_net * (done + quantity), whole) - done_net
