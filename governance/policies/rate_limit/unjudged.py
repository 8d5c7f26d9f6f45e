"""How many calls the store could not judge, for Prometheus: a gateway that limits without it is seen to."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from governance.store import Store


class Unjudged(Collector):
    """Counts in one process, by what was done instead."""

    def __init__(self, store: Store, mode: str) -> None:
        self._store = store
        self._mode = mode
        self.calls = 0

    def collect(self) -> Iterator[Metric]:
        """The figures."""
        calls = CounterMetricFamily(
            "tiergate_rate_limit_unjudged", "Calls that were limited without the store.", labels=("mode",)
        )
        calls.add_metric((self._mode,), self.calls)
        yield calls
        yield GaugeMetricFamily(
            "tiergate_store_connected", "Whether the store of limits answers.", value=int(self._store.connected)
        )
