"""Times in buckets, as Prometheus wants them."""

from __future__ import annotations

from bisect import bisect_left


class Histogram:
    """How often a time fell into each bucket, and their sum; seconds."""

    __slots__ = ("bounds_s", "buckets", "sum_s")

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self.bounds_s = bounds_s
        """The upper bounds of the buckets, ascending; what is longer than the last has one of its own."""
        self.buckets = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one time."""
        self.buckets[bisect_left(self.bounds_s, duration_s)] += 1
        self.sum_s += duration_s

    def cumulative(self) -> list[tuple[str, float]]:
        """Each bucket with everything below it."""
        total = 0
        found: list[tuple[str, float]] = []
        for bound, count in zip((*map(repr, self.bounds_s), "+Inf"), self.buckets, strict=True):
            total += count
            found.append((bound, total))
        return found
