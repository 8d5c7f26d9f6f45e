"""Load shedding: what a process can't answer in time it refuses at once, so that the rest is served in time.

Two signs of overload, both free to read: how many requests are under way, and how far the event
loop lags behind a steady beat. The lag alone is no overload (one long computation stalls the loop
as well), so it counts only while many requests wait. A refused request costs no token, no store
call and no body; its ``Retry-After`` is one second, and a shed write was not begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

BEAT_S = 0.05
LAGGING_FROM = 32
"""Requests under way from which a late beat is taken for overload."""


class SheddingLimits(Struct, frozen=True, kw_only=True):
    """What one process takes on."""

    most_in_flight: int = 1_000
    """Requests under way at once."""
    most_lag_s: float = 0.5
    """How late the event loop may be, seconds."""


class Shedding(Collector):
    """Counts the requests of one process; ``start`` and ``stop`` the beat with it."""

    def __init__(self, limits: SheddingLimits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._beat: asyncio.TimerHandle | None = None
        self._due_s = float("inf")
        self.in_flight = 0
        self.shed = 0
        """Requests refused since the start."""

    def overloaded(self, now_s: float) -> bool:
        """Whether a request that comes in now is to be refused."""
        busy = self.in_flight
        return busy > self._limits.most_in_flight or (
            busy >= LAGGING_FROM and now_s - self._due_s > self._limits.most_lag_s
        )

    def collect(self) -> Iterator[Metric]:
        """Its figures for Prometheus."""
        yield GaugeMetricFamily("tiergate_requests_in_flight", "Requests under way.", value=self.in_flight)
        yield CounterMetricFamily("tiergate_requests_shed", "Requests refused for overload.", value=self.shed)

    async def start(self) -> None:
        """Begin to measure the event loop that runs."""
        self._tick(asyncio.get_running_loop())

    async def stop(self) -> None:
        """Stop measuring."""
        if self._beat is not None:
            self._beat.cancel()
        self._due_s = float("inf")

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due_s = self._monotonic() + BEAT_S
        self._beat = loop.call_later(BEAT_S, self._tick, loop)
