"""Metrics of calls in the Prometheus text format, one set a process.

Labels come from contracts only, never from requests, so their number is bounded. A call adds to
plain lists, without a lock, because only the event loop writes; ``prometheus_client`` shapes them
when somebody scrapes.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from governance.telemetry.histogram import Histogram

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Series(Histogram):
    """The calls of one operation in one binding."""

    __slots__ = ("outcomes",)

    def __init__(self) -> None:
        super().__init__(BOUNDS_S)
        self.outcomes: dict[str, int] = {}

    def note(self, duration_s: float, outcome: str) -> None:
        """Count one call."""
        self.add(duration_s)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


class CallMetrics(Collector):
    """Counts and durations of calls by operation, binding and outcome."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._series: dict[tuple[str, str], Series] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def include(self, collector: Collector) -> None:
        """Show another part's figures with the calls."""
        self._registry.register(collector)

    def series(self, operation: str, binding: str) -> Series:
        """The series of one operation in one binding."""
        return self._series.setdefault((operation, binding), Series())

    def collect(self) -> Iterator[Metric]:
        """Everything, for the registry."""
        calls = CounterMetricFamily(
            "tiergate_calls", "Calls of operations.", labels=("operation", "binding", "outcome")
        )
        durations = HistogramMetricFamily(
            "tiergate_call_duration_seconds", "Duration of calls.", labels=("operation", "binding")
        )
        for (operation, binding), series in sorted(self._series.items()):
            for outcome, count in sorted(series.outcomes.items()):
                calls.add_metric((operation, binding, outcome), count)
            if series.outcomes:
                durations.add_metric((operation, binding), series.cumulative(), series.sum_s)
        yield calls
        yield durations

    def text(self) -> bytes:
        """Everything, for a scrape."""
        return generate_latest(self._registry)
