"""Metrics of calls in the Prometheus text format (version 0.0.4), one set a process.

Labels come from contracts only, never from requests, so their number is bounded.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class CallMetrics:
    """Counts and durations of calls by operation, binding and outcome."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter(
            "tiergate_calls",
            "Calls of operations.",
            ("operation", "binding", "outcome"),
            registry=self.registry,
        )
        self._durations = Histogram(
            "tiergate_call_duration_seconds",
            "Duration of calls.",
            ("operation", "binding"),
            buckets=BUCKETS_S,
            registry=self.registry,
        )

    def duration_of(self, operation: str, binding: str) -> Histogram:
        """The histogram of one operation; ``observe(seconds)`` on it."""
        return self._durations.labels(operation, binding)

    def count_of(self, operation: str, binding: str, outcome: str) -> Counter:
        """The counter of one outcome; ``inc()`` on it."""
        return self._calls.labels(operation, binding, outcome)

    def text(self) -> bytes:
        """Everything, for a scrape."""
        return generate_latest(self.registry)
