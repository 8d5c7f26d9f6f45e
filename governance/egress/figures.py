"""What is counted about ways out, for /metrics: attempts, repeats, waiting, caching, and the breakers' states.

Labels are names of vendors and endpoints from configuration and code, so their number is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from governance.egress.breaker import Breaker, State

STATES: Mapping[State, int] = {"closed": 0, "half-open": 1, "open": 2}
CLASSES = ("", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx")
"""Outcome of a status, by its first digit."""


class EgressFigures(Collector):
    """Counts by vendor; ``hops`` stands for the other processes of this gateway."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str], int] = {}
        self._retries: dict[str, int] = {}
        self._waits: dict[tuple[str, str], tuple[int, float]] = {}
        self._cached: dict[tuple[str, str], int] = {}
        self._breakers: dict[str, Mapping[str, Breaker]] = {}

    def watch(self, vendor: str, breakers: Mapping[str, Breaker]) -> None:
        """Show these breakers, by endpoint, as the vendor's."""
        self._breakers[vendor] = breakers

    def attempted(self, vendor: str, outcome: str) -> None:
        """Count one attempt; ``outcome`` is a class of statuses such as ``2xx``, or a failure's name."""
        self._calls[vendor, outcome] = self._calls.get((vendor, outcome), 0) + 1

    def repeated(self, vendor: str) -> None:
        """Count one attempt that was not the first."""
        self._retries[vendor] = self._retries.get(vendor, 0) + 1

    def waited(self, vendor: str, priority: str, seconds: float) -> None:
        """Count one wait for a place."""
        count, total_s = self._waits.get((vendor, priority), (0, 0.0))
        self._waits[vendor, priority] = (count + 1, total_s + seconds)

    def cached(self, vendor: str, how: str) -> None:
        """Count one read of the cache: ``fresh``, ``stale``, ``revalidated``, ``joined`` or ``fetched``."""
        self._cached[vendor, how] = self._cached.get((vendor, how), 0) + 1

    def collect(self) -> Iterator[Metric]:
        """Everything, for the registry."""
        calls = CounterMetricFamily("tiergate_egress_attempts", "Attempts.", labels=("vendor", "outcome"))
        for labels, count in sorted(self._calls.items()):
            calls.add_metric(labels, count)
        retries = CounterMetricFamily("tiergate_egress_retries", "Attempts after the first.", labels=("vendor",))
        for vendor, count in sorted(self._retries.items()):
            retries.add_metric((vendor,), count)
        cached = CounterMetricFamily("tiergate_egress_cache", "Reads through the cache.", labels=("vendor", "how"))
        for labels, count in sorted(self._cached.items()):
            cached.add_metric(labels, count)
        waits = CounterMetricFamily(
            "tiergate_egress_queue_seconds", "Time spent waiting for a place.", labels=("vendor", "priority")
        )
        waiters = CounterMetricFamily(
            "tiergate_egress_queued", "Calls that asked for a place.", labels=("vendor", "priority")
        )
        for labels, (count, total_s) in sorted(self._waits.items()):
            waits.add_metric(labels, total_s)
            waiters.add_metric(labels, count)
        states = GaugeMetricFamily(
            "tiergate_egress_breaker", "0 closed, 1 half-open, 2 open.", labels=("vendor", "endpoint")
        )
        for vendor, breakers in sorted(self._breakers.items()):
            for endpoint, breaker in sorted(breakers.items()):
                states.add_metric((vendor, endpoint), STATES[breaker.state])
        yield from (calls, retries, cached, waits, waiters, states)
