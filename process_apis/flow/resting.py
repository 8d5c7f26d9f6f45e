"""Flows at rest: rows that wait for a time, a signal or people, and how they come back into the queue.

Whatever wakes a flow takes its row first, so a flow that is about to rest and whoever wakes it see each
other in either order. Waking is one transaction with its reason: both are kept or neither, and a
flow is queued once however many wake it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from process_apis.flow.run import Note
from process_apis.flow.tables import exceptions, flows, timeline
from process_apis.flow.timeline import LEG_ROOM, STEP_ROOM, add_to_timeline, microseconds, timeline_rows
from process_apis.flow.verdict import FlowStart

Enqueue = Callable[[sa.Connection, str, FlowStart, int], None]
"""Queues a leg of the flow of this name, under a priority, in the transaction it is given."""
START = msgspec.json.Decoder(FlowStart)
TAKE = sa.update(flows).where(flows.c.flow_id == sa.bindparam("this")).values(leg=flows.c.leg).returning(*flows.c)
AT_ONCE = 200
"""At most this many are woken in one transaction."""


def taken(connection: sa.Connection, flow_id: str) -> Any:
    """The flow's row, which nobody else changes until the transaction ends; None where there is none."""
    return connection.execute(TAKE, {"this": flow_id}).one_or_none()


def following(row: Any) -> FlowStart:
    """The leg that comes next once the flow of this row is woken."""
    return START.decode(row.following)


def wake(connection: sa.Connection, row: Any, enqueue: Enqueue, start: FlowStart | None = None) -> None:
    """Queue the next leg of a flow at rest, from ``start`` or else from where it rests."""
    enqueue(connection, row.flow, start or following(row), row.priority)
    change(connection, row.flow_id, resting="", due_us=None)


def wake_due(connection: sa.Connection, now: datetime, enqueue: Enqueue) -> list[str]:
    """Queue the flows whose time has come; their ids."""
    due = (
        sa.select(flows.c.flow_id)
        .where(flows.c.due_us <= microseconds(now))
        .order_by(flows.c.due_us)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    if connection.dialect.name == "sqlite" and connection.execute(due.limit(1)).scalar() is None:
        return []  # nothing falls due mostly, and a look need not wait for the writer
    woken = sa.update(flows).where(flows.c.flow_id.in_(due)).values(resting="", due_us=None)
    rows = connection.execute(woken.returning(flows.c.flow_id, flows.c.flow, flows.c.following, flows.c.priority)).all()
    for row in rows:
        enqueue(connection, row.flow, following(row), row.priority)
    return [row.flow_id for row in rows]


def turn_back(connection: sa.Connection, row: Any, now: datetime, enqueue: Enqueue, **asked: Any) -> None:
    """Note what is asked of a flow before its pivot, and wake it so that it sees to it."""
    change(connection, row.flow_id, **asked)
    close = sa.update(exceptions).where(exceptions.c.flow_id == row.flow_id, exceptions.c.status == "open")
    if row.resting == "exception":
        connection.execute(close.values(status="closed", settled_us=microseconds(now), updated_us=microseconds(now)))
    if row.resting and (row.resting != "turn" or asked.get("cancel_requested")):
        wake(connection, row, enqueue, replace(following(row), exception_id=""))


def change(connection: sa.Connection, flow_id: str, **values: Any) -> None:
    """Change a flow's row."""
    connection.execute(sa.update(flows).where(flows.c.flow_id == flow_id).values(**values))


def note_between(connection: sa.Connection, flow_id: str, leg: int, note: Note) -> None:
    """Put what was decided about a flow outside its steps on its timeline, before the steps of ``leg``."""
    first = leg * LEG_ROOM
    here = sa.select(sa.func.max(timeline.c.position)).where(
        timeline.c.flow_id == flow_id, timeline.c.position >= first, timeline.c.position < first + STEP_ROOM
    )
    last: int | None = connection.execute(here).scalar()
    add_to_timeline(connection, timeline_rows(flow_id, first if last is None else last + 1, [note]))
