"""Process measures for /metrics: cycle times of steps, ends, failures, and what waits for people.

They are read from the tables of flows now and then, and only while somebody scrapes; no call and no
step of a flow does anything for them. Every process of a gateway tells of all flows, so a dashboard
takes the largest, not the sum. Counts begin with the process, as counters do. While the database is
away the last figures stay.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from governance.call import Clock
from governance.contract.refusals import SystemUnavailable
from governance.telemetry.histogram import Histogram
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import exceptions, flows
from process_apis.flow.timeline import microseconds
from process_apis.timeline.measures import FlowFacts
from process_apis.timeline.sample import PART, Period, Started, facts_of

log = logging.getLogger("tiergate.timeline")
BOUNDS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0)
LOOK_S = 15.0
SETTLED_US = 5_000_000
"""What ended this long ago is committed: nothing before it comes later."""
PARTS_AT_ONCE = 20
MICROSECONDS = 1_000_000


class Waiting:
    """What waits now: rows of (labels, count)."""

    def __init__(self) -> None:
        self.under_way: Sequence[Any] = ()
        self.open: Sequence[Any] = ()
        self.overdue: Sequence[Any] = ()


class ProcessFigures(Collector):
    """Figures of all flows since this process began."""

    def __init__(self, flows_: FlowRuntime, clock: Clock, *, look_s: float = LOOK_S) -> None:
        self._flows = flows_
        self._clock = clock
        self._look_s = look_s
        self._resolved_us = microseconds(clock.now())
        self._ended_last = (self._resolved_us, "")
        self._wanted = False
        self._task: asyncio.Task[None] | None = None
        self._steps: defaultdict[tuple[str, str], Histogram] = defaultdict(_times)
        self._failed: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._ended: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._resolved: defaultdict[tuple[str], Histogram] = defaultdict(_times)
        self._waiting = Waiting()

    async def start(self) -> None:
        """Look from time to time whether somebody wants figures."""
        self._task = asyncio.create_task(self._go(), name="process figures")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> None:
        """Count what ended since the last look, and what waits now.

        Raises:
            SystemUnavailable: the database is away; the next look counts it.
        """
        now_us = microseconds(self._clock.now())
        until_us = now_us - SETTLED_US
        for _ in range(PARTS_AT_ONCE):  # what is left then comes with the next look
            ended = await self._flows.read(partial(_ended_after, after=self._ended_last, until_us=until_us))
            self._count(await self._flows.read(partial(_facts, rows=ended)))
            if ended:
                self._ended_last = (ended[-1].ended_us, ended[-1].flow_id)
            if len(ended) < PART:
                break
        for row in await self._flows.read(partial(_resolved_in, since_us=self._resolved_us, until_us=until_us)):
            self._resolved[row.queue,].add((row.settled_us - row.opened_us) / MICROSECONDS)
        self._resolved_us = max(self._resolved_us, until_us)
        self._waiting = await self._flows.read(partial(_waiting, now_us=now_us))

    def collect(self) -> Iterator[Metric]:
        """Everything, for the registry."""
        self._wanted = True
        steps = HistogramMetricFamily(
            "tiergate_step_seconds", "Time from a step's begin until its flow went on.", labels=("flow", "step")
        )
        for labels, histogram in sorted(self._steps.items()):
            steps.add_metric(labels, histogram.cumulative(), histogram.sum_s)
        failed = CounterMetricFamily("tiergate_step_failures", "Steps in which a call failed.", labels=("flow", "step"))
        ended = CounterMetricFamily("tiergate_flows_ended", "Flows that ended.", labels=("flow", "outcome"))
        for family, counts in ((failed, self._failed), (ended, self._ended)):
            for labels, count in sorted(counts.items()):
                family.add_metric(labels, count)
        resolved = HistogramMetricFamily(
            "tiergate_exception_resolution_seconds", "Time until an exception was resolved.", labels=("queue",)
        )
        for labels, histogram in sorted(self._resolved.items()):
            resolved.add_metric(labels, histogram.cumulative(), histogram.sum_s)
        yield from (steps, failed, ended, resolved)
        yield _gauge("tiergate_flows_under_way", "Flows under way.", ("flow", "resting"), self._waiting.under_way)
        yield _gauge("tiergate_exceptions_open", "Exceptions that wait for people.", ("queue",), self._waiting.open)
        yield _gauge("tiergate_exceptions_overdue", "Those past their due time.", ("queue",), self._waiting.overdue)

    async def _go(self) -> None:
        while True:
            await asyncio.sleep(self._look_s)
            if not self._wanted:
                continue
            self._wanted = False
            try:
                await self.look()
            except SystemUnavailable as error:
                log.warning("the figures of flows can't be read: %s", error)

    def _count(self, facts: Sequence[FlowFacts]) -> None:
        for one in facts:
            self._ended[one.flow, one.outcome] += 1
            for stretch in one.stretches:
                if stretch.entries and stretch.entries[0].is_end:
                    continue
                self._steps[one.flow, stretch.step].add(stretch.elapsed_us / MICROSECONDS)
                self._failed[one.flow, stretch.step] += stretch.failures > 0


def _times() -> Histogram:
    return Histogram(BOUNDS_S)


def _ended_after(connection: sa.Connection, after: tuple[int, str], until_us: int) -> Sequence[Any]:
    """Up to ``PART`` flows that ended after a place in the order of their ends."""
    place = sa.tuple_(flows.c.ended_us, flows.c.flow_id)
    query = sa.select(flows.c.flow_id, flows.c.flow, flows.c.outcome, flows.c.ended_us).where(
        flows.c.ended, flows.c.ended_us >= after[0], flows.c.ended_us <= until_us, place > sa.tuple_(*after)
    )
    return connection.execute(query.order_by(flows.c.ended_us, flows.c.flow_id).limit(PART)).all()


def _facts(connection: sa.Connection, rows: Sequence[Any]) -> list[FlowFacts]:
    some = [Started(flow_id=row.flow_id, flow=row.flow, ended=True, outcome=row.outcome) for row in rows]
    return facts_of(connection, some, Period(since_us=0, until_us=0, now_us=0))


def _resolved_in(connection: sa.Connection, since_us: int, until_us: int) -> Sequence[Any]:
    query = sa.select(exceptions.c.queue, exceptions.c.opened_us, exceptions.c.settled_us)
    within = (exceptions.c.settled_us > since_us, exceptions.c.settled_us <= until_us)
    return connection.execute(query.where(*within)).all()


def _waiting(connection: sa.Connection, now_us: int) -> Waiting:
    found = Waiting()
    under_way = sa.select(flows.c.flow, flows.c.resting, sa.func.count()).where(sa.not_(flows.c.ended))
    found.under_way = connection.execute(under_way.group_by(flows.c.flow, flows.c.resting)).all()
    is_open = sa.select(exceptions.c.queue, sa.func.count()).where(exceptions.c.status == "open")
    found.open = connection.execute(is_open.group_by(exceptions.c.queue)).all()
    overdue = is_open.where(exceptions.c.due_us < now_us).group_by(exceptions.c.queue)
    found.overdue = connection.execute(overdue).all()
    return found


def _gauge(name: str, words: str, labels: tuple[str, ...], rows: Sequence[Any]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for row in sorted(rows):
        family.add_metric([str(label) for label in row[:-1]], row[-1])
    return family
