"""Timeline v1 over the tables of flows; it calls no other API, so it answers whatever else is away.

A database that is away is answered with ``unavailable``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from governance.call import Clock, current_call
from governance.contract import CursorCodec, NotFound, Page
from governance.policies.lifecycle import Apis
from governance.telemetry import CallMetrics
from process_apis.events.migration import MIGRATIONS as EVENT_TABLES
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.timeline import instant, microseconds
from process_apis.timeline import measures, trouble
from process_apis.timeline.figures import ProcessFigures
from process_apis.timeline.history import history_of
from process_apis.timeline.index import Found, catch_up, find, forget, keys_made_of
from process_apis.timeline.levels import FRESH_S, SERVICE_LEVELS
from process_apis.timeline.migration import MIGRATIONS
from process_apis.timeline.sample import MOST, PART, Period, facts_of, opened_in, started_in
from process_apis.timeline.v1.contract import TimelineV1
from process_apis.timeline.v1.model import (
    FlowMeasures,
    LateOrder,
    OrderInTrouble,
    QueueMeasures,
    ServiceLevel,
    ServiceLevels,
    StepMeasures,
    Timeline,
    TimelineSummary,
)
from process_apis.timeline.v1.presentation import flow_measure, queue_measure, step_measure, timeline_of
from system_apis.canonical.values import AccountId, RecordId

T = TypeVar("T")
USUAL = timedelta(days=7)
LARGEST = 2**62


class TimelineOfProcesses(TimelineV1):
    """Timelines, orders in trouble, and measures."""

    def __init__(
        self, flows: FlowRuntime, clock: Clock, cursors: CursorCodec, apis: Apis, metrics: CallMetrics
    ) -> None:
        flows.adopt(EVENT_TABLES)
        flows.adopt(MIGRATIONS, forget)
        figures = ProcessFigures(flows, clock)
        metrics.include(figures)
        flows.accompany(figures)
        self._flows = flows
        self._clock = clock
        self._cursors = cursors
        self._apis = apis
        self._edges = tuple(
            operation.id
            for api in apis.values()
            for operation in api.operations
            if operation.keyed and operation.tier == "experience"
        )

    async def find_timelines(
        self, *, any_id: str, account_id: AccountId | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[TimelineSummary]:
        """The processes that a number belongs to, newest first."""
        operation = "timeline.v1.find_timelines"
        account_ids = current_call().listed_accounts(account_id)
        filters = (any_id, account_ids)
        last = self._cursors.decode(operation, filters, cursor)
        await self._caught_up()
        keys = await self._flows.read(partial(keys_made_of, key=any_id, edges=self._edges))
        found = await self._flows.read(partial(find, values=(any_id, *keys), account_ids=account_ids))
        after = (int(last[0]), str(last[1])) if last else (LARGEST, "")
        rest = [one for one in found if (one.started_us, one.flow_id) < after]
        return self._cursors.page(operation, filters, tuple(map(_summary, rest[: limit + 1])), limit, _newest)

    async def get_timeline(self, flow_id: RecordId) -> Timeline:
        """One process from its acceptance to where it is now."""
        await self._caught_up()
        history = await self._flows.read(partial(history_of, flow_id=flow_id))
        if history is None:
            raise NotFound()
        state = await self._state(history.row.flow, flow_id)
        return timeline_of(history, state, self._apis, microseconds(self._clock.now()))

    async def list_orders_without_invoice(
        self, *, account_id: AccountId | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[OrderInTrouble]:
        """Orders that were accepted and whose invoice failed, oldest first."""
        operation = "timeline.v1.list_orders_without_invoice"
        return await self._in_trouble(operation, trouble.without_invoice, account_id, limit, cursor)

    async def list_orders_not_refreshed(
        self, *, account_id: AccountId | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[OrderInTrouble]:
        """Orders whose goods have left and whose channel was not told in time, oldest first."""
        ask = partial(trouble.not_refreshed, now_us=microseconds(self._clock.now()))
        return await self._in_trouble("timeline.v1.list_orders_not_refreshed", ask, account_id, limit, cursor)

    async def list_late_orders(
        self, *, account_id: AccountId | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[LateOrder]:
        """Orders that are past their service level now, oldest first."""
        operation = "timeline.v1.list_late_orders"
        now_us = microseconds(self._clock.now())
        filters, which = self._which(operation, account_id, limit, cursor)
        found = await self._flows.read(lambda connection: trouble.late(connection, which, now_us))
        items = tuple(_late(one, now_us) for one in found)
        return self._cursors.page(operation, filters, items, limit, _oldest)

    async def get_service_levels(self) -> ServiceLevels:
        """How long an order may take, by channel and priority."""
        levels = tuple(
            ServiceLevel(
                name=one.name,
                channels=one.channels,
                most_priority=one.most_priority,
                confirmed_s=one.confirmed_s,
                shipped_s=one.shipped_s,
                completed_s=one.completed_s,
            )
            for one in SERVICE_LEVELS
        )
        return ServiceLevels(levels=levels, channel_told_s=FRESH_S)

    async def measure_steps(
        self,
        *,
        flow: str | None = None,
        step: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> StepMeasures:
        """Cycle time, waiting and failures of each step."""
        period = self._period(since, until)
        facts, complete = await self._facts(period, flow, step)
        return StepMeasures(
            since=instant(period.since_us),
            until=instant(period.until_us),
            considered=len(facts),
            complete=complete,
            steps=tuple(map(step_measure, measures.step_measures(facts))),
        )

    async def measure_flows(
        self, *, flow: str | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> FlowMeasures:
        """Cycle time, outcomes and exceptions of each process."""
        period = self._period(since, until)
        facts, complete = await self._facts(period, flow, None)
        return FlowMeasures(
            since=instant(period.since_us),
            until=instant(period.until_us),
            considered=len(facts),
            complete=complete,
            flows=tuple(map(flow_measure, measures.flow_measures(facts))),
        )

    async def measure_queues(
        self,
        *,
        queue: str | None = None,
        flow: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> QueueMeasures:
        """How many exceptions each queue had and how long they took to be resolved."""
        period = self._period(since, until)
        found = await self._flows.read(partial(opened_in, period=period, queue=queue, flow=flow))
        facts = found[:MOST]
        return QueueMeasures(
            since=instant(period.since_us),
            until=instant(period.until_us),
            considered=len(facts),
            complete=len(found) <= MOST,
            queues=tuple(map(queue_measure, measures.queue_measures(facts, period.now_us))),
        )

    async def _caught_up(self) -> None:
        known = self._flows.registered
        while await self._flows.write(partial(catch_up, known=known)):
            continue

    async def _state(self, flow: str, flow_id: str) -> Any:
        known = self._flows.registered.get(flow)
        if known is None:
            return None
        try:
            return await self._flows.read(partial(known.book.load, flow_id=flow_id))
        except NotFound:
            return None

    async def _in_trouble(
        self,
        operation: str,
        ask: Callable[[sa.Connection, trouble.Which], list[trouble.Trouble]],
        account_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[OrderInTrouble]:
        filters, which = self._which(operation, account_id, limit, cursor)
        found = await self._flows.read(lambda connection: ask(connection, which))
        return self._cursors.page(operation, filters, tuple(map(_troubled, found)), limit, _oldest)

    def _which(
        self, operation: str, account_id: str | None, limit: int, cursor: str | None
    ) -> tuple[tuple[object, ...], trouble.Which]:
        account_ids = current_call().listed_accounts(account_id)
        last = self._cursors.decode(operation, (account_ids,), cursor)
        after = (int(last[0]), str(last[1])) if last else None
        return (account_ids,), trouble.Which(account_ids=account_ids, after=after, limit=limit + 1)

    def _period(self, since: datetime | None, until: datetime | None) -> Period:
        now = self._clock.now()
        until = until or now
        since = since or until - USUAL
        return Period(since_us=microseconds(since), until_us=microseconds(until), now_us=microseconds(now))

    async def _facts(self, period: Period, flow: str | None, step: str | None) -> tuple[list[measures.FlowFacts], bool]:
        """Read part by part, so that nothing else waits long for a connection."""
        found = await self._flows.read(partial(started_in, period=period, flow=flow))
        facts: list[measures.FlowFacts] = []
        for first in range(0, min(len(found), MOST), PART):
            some = found[first : min(first + PART, MOST)]
            facts += await self._flows.read(partial(facts_of, some=some, period=period, step=step))
        return facts, len(found) <= MOST


def _summary(found: Found) -> TimelineSummary:
    return TimelineSummary(
        flow_id=found.flow_id,
        flow=found.flow,
        account_id=found.account_id,
        matched=found.matched,
        started_at=instant(found.started_us),
        ended=found.ended,
    )


def _newest(one: TimelineSummary) -> tuple[str | int, ...]:
    return (microseconds(one.started_at), one.flow_id)


def _oldest(one: OrderInTrouble | LateOrder) -> tuple[str | int, ...]:
    return (microseconds(one.placed_at), one.order_id)


def _troubled(found: trouble.Trouble) -> OrderInTrouble:
    order = found.order
    return OrderInTrouble(
        order_id=order.order_id,
        account_id=order.account_id,
        reference=order.reference,
        channel=order.channel,
        status=order.status,
        stage=order.stage,
        placed_at=order.placed_at,
        since=instant(found.since_us),
        reason=found.reason,
    )


def _late(found: trouble.Late, now_us: int) -> LateOrder:
    order = found.order
    return LateOrder(
        order_id=order.order_id,
        account_id=order.account_id,
        reference=order.reference,
        channel=order.channel,
        priority=found.priority,
        status=order.status,
        stage=order.stage,
        placed_at=order.placed_at,
        level=found.level,
        milestone=found.milestone,
        due_at=instant(found.due_us),
        late_s=(now_us - found.due_us) // 1_000_000,
    )
