"""Flows under way when the code changed: where a flow goes on in a table that has other steps than when it began.

The engine plays a leg's recorded checkpoints back in their order, which only fits the table that
made them. A leg that was under way when its process ended is therefore compared with the table of
today first. Where they differ it is not played back: a new leg begins after the last step that is
recorded. A step put in before that point is not done for it, one put in after it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from process_apis.flow.leg import Leg
from process_apis.flow.resting import Enqueue, change, taken
from process_apis.flow.serializer import FlowSerializer
from process_apis.flow.table import Flow
from process_apis.flow.verdict import FlowStart, Verdict

UNDO_STEP = "undo"
DONE = Verdict(outcome="done")
RESTS = ("parked", "stuck")
Records = Sequence[tuple[str, Verdict]]


def move_on(connection: sa.Connection, leg: Leg, enqueue: Enqueue) -> bool:
    """Whether the leg's records don't fit the table, and the flow was queued where it goes on in it."""
    start = moved(leg, recorded(connection, leg.start.workflow_id))
    if start is None:
        return False
    row = taken(connection, leg.run.flow_id)
    if row is not None and row.leg == leg.start.leg:
        change(connection, leg.run.flow_id, leg=start.leg)
        enqueue(connection, leg.flow.name, start, leg.priority)
    return True


def recorded(connection: sa.Connection, workflow_id: str) -> Records:
    """The checkpoints of a leg and their verdicts, in their order."""
    steps = sa.table(
        "operation_outputs",
        sa.column("workflow_uuid", sa.Text),
        sa.column("function_id", sa.Integer),
        sa.column("function_name", sa.Text),
        sa.column("output", sa.Text),
        schema=None if connection.dialect.name == "sqlite" else "dbos",
    )
    query = sa.select(steps.c.function_name, steps.c.output).where(steps.c.workflow_uuid == workflow_id)
    rows = connection.execute(query.order_by(steps.c.function_id)).all()
    found = [(row.function_name, FlowSerializer().deserialize(row.output)) for row in rows if row.output]
    return [(name, verdict) for name, verdict in found if isinstance(verdict, Verdict)]


def moved(leg: Leg, records: Records) -> FlowStart | None:
    """Where the flow goes on, if the records are none that the table of today would make; None where they fit."""
    never_recorded = leg.first_group is None and leg.start.leg == 0
    if (not records and not never_recorded) or (records and _fits(leg, records)):
        return None
    return after(leg.flow, replace(leg.start, leg=leg.start.leg + 1), records)


def after(flow: Flow[Any], start: FlowStart, records: Records) -> FlowStart:
    """Where a flow of this table goes on that began with ``start`` and has these records."""
    start, rows = replace(start, parks=0, failing_us=0, attempts=0), flow.rows
    undone = (UNDO_STEP, DONE) in records
    if start.back is not None:
        return replace(start, first_step=flow.last.name) if undone and flow.last is not None else start
    places = {step.name: place for place, step in enumerate(rows)}
    known = [(places[last], verdict) for name, verdict in records if (last := verdict.reached or name) in places]
    if not known:
        return start if start.first_step in places else replace(start, first_step=rows[0].name)
    place, verdict = known[-1]
    if verdict.outcome == "done":
        return replace(start, first_step=rows[min(place + 1, len(rows) - 1)].name)
    if verdict.outcome in RESTS:
        return replace(start, first_step=rows[place].name)
    here = flow.last if undone and flow.last is not None else rows[place]
    return replace(start, first_step=here.name, back=verdict)


def _fits(leg: Leg, records: Records) -> bool:
    if leg.start.back is not None:
        return True
    index = leg.first_group
    for name, verdict in records:
        if index is None or name != leg.names(index)[-1]:
            return False
        if verdict.outcome != "done":
            return True
        if verdict.reached and not any(verdict.reached == leg.names(i)[-1] for i in range(index, len(leg.groups))):
            return False
        index = leg.next_group(leg.reached(index, verdict))
    return True
