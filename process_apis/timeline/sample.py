"""The flows and exceptions that measures are computed from: those of a time, the newest so many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct

from process_apis.flow.tables import exceptions, flows, timeline
from process_apis.timeline.measures import ExceptionFacts, FlowFacts
from process_apis.timeline.stretches import Entry, ended_as, stretches, whole

MOST = 20_000
"""So many runs or exceptions are considered at most; an answer says when there are more."""
PART = 250


class Period(Struct, frozen=True, kw_only=True):
    """From ``since_us`` up to, not including, ``until_us``; as seen at ``now_us``."""

    since_us: int
    until_us: int
    now_us: int


class Started(Struct, frozen=True, kw_only=True):
    """A flow that was started in the period."""

    flow_id: str
    flow: str
    ended: bool
    outcome: str


def started_in(connection: sa.Connection, period: Period, flow: str | None) -> list[Started]:
    """The flows started in a period, newest first; one more than ``MOST`` where there are more."""
    query = (
        sa.select(flows.c.flow_id, flows.c.flow, flows.c.ended, flows.c.outcome)
        .where(flows.c.started_us >= period.since_us, flows.c.started_us < period.until_us)
        .order_by(flows.c.started_us.desc())
        .limit(MOST + 1)
    )
    if flow is not None:
        query = query.where(flows.c.flow == flow)
    return [
        Started(flow_id=row.flow_id, flow=row.flow, ended=row.ended, outcome=row.outcome)
        for row in connection.execute(query)
    ]


def facts_of(
    connection: sa.Connection, some: Sequence[Started], period: Period, step: str | None = None
) -> list[FlowFacts]:
    """What is measured of up to ``PART`` flows; of one step where it is named."""
    ids = [one.flow_id for one in some]
    done = sa.select(timeline).where(timeline.c.flow_id.in_(ids)).order_by(timeline.c.flow_id, timeline.c.position)
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for row in connection.execute(done):
        entries[row.flow_id].append(Entry.of(row))
    counted = sa.select(exceptions.c.flow_id, sa.func.count()).where(exceptions.c.flow_id.in_(ids))
    trouble = {row[0]: int(row[1]) for row in connection.execute(counted.group_by(exceptions.c.flow_id))}
    return [_facts(one, entries[one.flow_id], trouble.get(one.flow_id, 0), period, step) for one in some]


def opened_in(connection: sa.Connection, period: Period, queue: str | None, flow: str | None) -> list[ExceptionFacts]:
    """The exceptions opened in a period, newest first; one more than ``MOST`` where there are more."""
    query = (
        sa.select(exceptions)
        .where(exceptions.c.opened_us >= period.since_us, exceptions.c.opened_us < period.until_us)
        .order_by(exceptions.c.opened_us.desc())
        .limit(MOST + 1)
    )
    if queue is not None:
        query = query.where(exceptions.c.queue == queue)
    if flow is not None:
        query = query.where(exceptions.c.flow == flow)
    return [
        ExceptionFacts(
            queue=row.queue,
            flow=row.flow,
            step=row.step,
            opened_us=row.opened_us,
            due_us=row.due_us,
            settled_us=row.settled_us,
            escalated=row.escalated_us is not None,
        )
        for row in connection.execute(query)
    ]


def _facts(
    one: Started, entries: Sequence[Entry], exceptions_opened: int, period: Period, step: str | None
) -> FlowFacts:
    found = stretches(entries, now_us=None if one.ended else period.now_us)
    return FlowFacts(
        flow=one.flow,
        outcome=(one.outcome or ended_as(entries)) if one.ended else "",
        stretches=found if step is None else tuple(stretch for stretch in found if stretch.step == whole(step)),
        exceptions=exceptions_opened,
    )
