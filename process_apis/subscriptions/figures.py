"""Figures of webhooks for /metrics: attempts, how long events take to arrive, and what waits.

Attempts are counted by the process that makes them, so the figures of several processes add up. What waits is read
from the tables every ``SCRAPED_S`` while somebody scrapes, and is the same in every process: take the largest.
While the database is away the last figures stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from governance.telemetry.histogram import Histogram
from process_apis.subscriptions.attempts import Attempt
from process_apis.subscriptions.schedule import HOLD_S
from process_apis.subscriptions.tables import deliveries, subscriptions

SCRAPED_S = 15.0
BOUNDS_S = (0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3_600.0, 21_600.0, 86_400.0, 259_200.0)
MICROSECONDS = 1_000_000
WAITING = (
    sa.select(sa.func.count(), sa.func.min(deliveries.c.hold_until_us))
    .join(subscriptions, subscriptions.c.subscription_id == deliveries.c.subscription_id)
    .where(deliveries.c.status == "waiting", subscriptions.c.status == "active")
)
ENDPOINTS = sa.select(subscriptions.c.status, sa.func.count()).group_by(subscriptions.c.status)


class Backlog(Struct, frozen=True):
    """What waits for endpoints that are not disabled, as of one look; and how many endpoints there are, by status."""

    waiting: int = 0
    oldest_s: float = 0.0
    endpoints: tuple[tuple[str, int], ...] = ()


class DeliveryFigures(Collector):
    """What one process delivered since it began, and what waits for all of them."""

    def __init__(self) -> None:
        self._attempts: Counter[str] = Counter()
        self._arrival = Histogram(BOUNDS_S)
        self.backlog = Backlog()
        self.wanted = False
        """Somebody scraped since the backlog was read."""

    def note(self, attempt: Attempt, delivery: Any, now_us: int) -> None:
        """Count an attempt at a row of the deliveries."""
        self._attempts[attempt.outcome] += 1
        if attempt.delivered:
            self._arrival.add(_waited_s(delivery.hold_until_us, now_us))

    def collect(self) -> Iterator[Metric]:
        """Everything, for the registry."""
        self.wanted = True
        made = CounterMetricFamily("tiergate_webhook_attempts", "Attempts at webhooks.", labels=("outcome",))
        for outcome, count in sorted(self._attempts.items()):
            made.add_metric((outcome,), count)
        took = HistogramMetricFamily("tiergate_webhook_delivery_seconds", "Time from an event to its delivery.")
        took.add_metric((), self._arrival.cumulative(), self._arrival.sum_s)
        waiting = GaugeMetricFamily("tiergate_webhook_deliveries_waiting", "Deliveries that wait.")
        waiting.add_metric((), self.backlog.waiting)
        oldest = GaugeMetricFamily("tiergate_webhook_oldest_waiting_seconds", "Since when the oldest of them waits.")
        oldest.add_metric((), self.backlog.oldest_s)
        endpoints = GaugeMetricFamily("tiergate_webhook_endpoints", "Endpoints of partners.", labels=("status",))
        for status, count in self.backlog.endpoints:
            endpoints.add_metric((status,), count)
        yield from (made, took, waiting, oldest, endpoints)


def backlog(connection: sa.Connection, now_us: int) -> Backlog:
    """What waits now."""
    waiting, held_until_us = connection.execute(WAITING).one()
    rows: list[Any] = list(connection.execute(ENDPOINTS))
    return Backlog(
        waiting=waiting,
        oldest_s=0.0 if held_until_us is None else _waited_s(held_until_us, now_us),
        endpoints=tuple(sorted((row[0], row[1]) for row in rows)),
    )


def _waited_s(held_until_us: int, now_us: int) -> float:
    """Since an event was to be delivered, for the first time or once more."""
    return max(0.0, (now_us - held_until_us) / MICROSECONDS + HOLD_S)
