"""Flows that nobody carries: the workflow engine let go of one that neither ended nor rests.

In every state that is committed, a flow has ended, rests as a row, or has a leg that the engine holds
queued or under way. One for which none of these is true would stop without a word: its leg ended in an
error of the engine (its record or its arguments can't be read, a recorded step is another one now), or
was cancelled or deleted there. Such a flow is begun again once after the last step that is recorded, and
given to people when it is lost once more, with what the engine said.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from dbos import error as engine_errors
from msgspec import Struct
from msgspec.structs import replace

from process_apis.flow.moving import after, recorded
from process_apis.flow.resting import Enqueue, change, note_between, taken
from process_apis.flow.run import Note
from process_apis.flow.serializer import Failure, failure_in, start_in
from process_apis.flow.table import Flow, Refused, Step
from process_apis.flow.tables import flows
from process_apis.flow.trouble import Evidence, Settlement, Trouble, choices, settled_by
from process_apis.flow.verdict import FlowStart, Verdict, flow_of

unexpected = logging.getLogger("tiergate.unexpected")
ALIVE = ("PENDING", "ENQUEUED", "DELAYED")
"""Statuses of the engine in which it will go on with a workflow."""
AT_ONCE = 100
MOST_WORDS = 1_800
TOLD = frozenset({"ValidationError", "DecodeError", "NotFound"})
"""Failures beside the engine's own whose words name no more than a place in a record."""


class Remains(Struct, frozen=True, kw_only=True):
    """What the engine still knows of a leg."""

    status: str
    start: FlowStart | None
    """None: its arguments are gone, or can't be read."""
    failure: Failure | None

    @property
    def words(self) -> str:
        """What became of it, without anything that a failure may have quoted."""
        said = f"The workflow engine let go of it: {self.status}"
        if self.failure is None:
            return f"{said}."
        known = self.failure.kind in TOLD or hasattr(engine_errors, self.failure.kind)
        words = f": {self.failure.words[:MOST_WORDS].rstrip('.')}" if known else ""
        return f"{said}, {self.failure.kind}{words}."


def lost_flows(connection: sa.Connection, names: list[str]) -> list[str]:
    """The ids of some flows of these names that nobody carries."""
    status = _status(connection)
    leg = sa.case((flows.c.leg == 0, flows.c.flow_id), else_=flows.c.flow_id + "~" + sa.cast(flows.c.leg, sa.Text))
    held = sa.exists().where(status.c.workflow_uuid == leg, status.c.status.in_(ALIVE))
    lost = sa.select(flows.c.flow_id).where(
        flows.c.ended_us.is_(None), flows.c.resting == "", flows.c.flow.in_(names), ~held
    )
    return list(connection.execute(lost.limit(AT_ONCE)).scalars())


def claimed_legs(connection: sa.Connection, executor: str) -> dict[str, int]:
    """The legs that the engine holds to be under way in a process, and since when, in its milliseconds."""
    status = _status(connection)
    mine = sa.select(status.c.workflow_uuid, status.c.started_at_epoch_ms).where(
        status.c.status == "PENDING", status.c.executor_id == executor
    )
    return {row.workflow_uuid: row.started_at_epoch_ms or 0 for row in connection.execute(mine)}


class Mending(Struct, frozen=True, kw_only=True):
    """Gets lost flows going, in a process that knows these, at this time."""

    known: Mapping[str, Flow[Any]]
    enqueue: Enqueue
    now: datetime

    def mend(self, connection: sa.Connection, flow_id: str) -> bool:
        """Begin a lost flow again, or give it to people; False when it is not lost after all."""
        row = taken(connection, flow_id)
        if row is None or row.resting or row.ended_us is not None:
            return False
        name = _leg_of(row)
        remains = remains_of(connection, name)
        flow = self.known.get(row.flow)
        if remains.status in ALIVE or flow is None:
            return False
        pivot = next(step.name for step in flow.rows if step.pivot)
        start = remains.start or FlowStart(
            flow_id=flow_id, first_step=pivot if row.committed else flow.rows[0].name, lost=1
        )
        begun = replace(after(flow, start, recorded(connection, name)), leg=row.leg + 1, lost=start.lost + 1)
        unexpected.error("%s: lost at %s. %s", flow_id, begun.first_step, remains.words)
        if start.lost:
            self._give(connection, row, flow, begun, remains.words)
        else:
            self._begin(connection, row, begun, remains.words)
        return True

    def give_up(self, connection: sa.Connection, workflow_id: str) -> bool:
        """Give a leg to people whose flow this process does not know; False when another leg has begun since."""
        remains = remains_of(connection, workflow_id)
        flow_id = flow_of(workflow_id)
        row = taken(connection, flow_id)
        start = remains.start or FlowStart(flow_id=flow_id, first_step="")
        if row is None or row.resting or row.ended_us is not None or _leg_of(row) != workflow_id:
            return False
        words = f"No process of this kind runs here: {row.flow}."
        unexpected.error("%s: %s", flow_id, words)
        self._give(connection, row, None, replace(start, leg=row.leg + 1), words)
        return True

    def _begin(self, connection: sa.Connection, row: Any, start: FlowStart, words: str) -> None:
        change(connection, row.flow_id, leg=start.leg, wary=True)
        note_between(connection, row.flow_id, start.leg, self._note(row, start, "begun_again", words))
        self.enqueue(connection, row.flow, start, row.priority)

    def _give(self, connection: sa.Connection, row: Any, flow: Flow[Any] | None, start: FlowStart, words: str) -> None:
        trouble = self._trouble(row, flow, start, words)
        exception_id, settlement = trouble.keep_open(connection, start.exception_id, self.now)
        if settlement is not None:
            self._begin(connection, row, self._settled(start, trouble, settlement), words)
            return
        start = replace(start, exception_id=exception_id, held=True)
        following = msgspec.json.encode(start).decode()
        change(connection, row.flow_id, leg=start.leg, resting="exception", following=following, due_us=None, wary=True)
        note_between(connection, row.flow_id, start.leg, self._note(row, start, "on_hold", words))
        if flow is not None:
            self._hold(connection, flow, row.flow_id, trouble.verdict)

    def _settled(self, start: FlowStart, trouble: Trouble, settlement: Settlement) -> FlowStart:
        return settled_by(start, trouble.verdict.step, settlement, may_turn_back=trouble.evidence.may_turn_back)

    def _hold(self, connection: sa.Connection, flow: Flow[Any], flow_id: str, verdict: Verdict) -> None:
        try:
            state = flow.book.load(connection, flow_id)
        except (msgspec.MsgspecError, LookupError, ValueError):  # the record itself is what can't be read
            return
        state = flow.book.mark(state, "on_hold", verdict.step, self.now)
        flow.book.save(connection, flow_id, flow.book.explain(state, Refused(verdict.problem, verdict.reason)))

    def _trouble(self, row: Any, flow: Flow[Any] | None, start: FlowStart, words: str) -> Trouble:
        step = _step(flow, start.first_step)
        before_return = not row.committed and start.back is None
        verdict = Verdict(
            outcome="stuck", kind="fault", step=start.first_step, problem="internal-error", reason=words,
            attempts=start.lost,
        )  # fmt: skip
        return Trouble(
            flow_id=row.flow_id,
            flow=row.flow,
            account_id=row.account_id,
            queue=(step.queue if step is not None else "") or (flow.queue if flow is not None else "data_quality"),
            verdict=verdict,
            allowed=("retry",) if flow is None else choices(flow, step, start.first_step, before_return=before_return),
            evidence=Evidence(
                stage=start.first_step,
                revision=row.revision,
                leg=row.leg,
                attempts=start.lost,
                error=words,
                going_back=start.back is not None,
                committed=row.committed,
                may_turn_back=before_return,
            ),
        )

    def _note(self, row: Any, start: FlowStart, outcome: str, words: str) -> Note:
        return Note(
            at=self.now, step=start.first_step, tier="process", api=row.flow, operation="mend", outcome=outcome,
            detail=words,
        )  # fmt: skip


def remains_of(connection: sa.Connection, workflow_id: str) -> Remains:
    """What the engine knows of a workflow that may be gone."""
    schema = _schema(connection)
    status = _status(connection)
    given = sa.table("workflow_input", sa.column("workflow_uuid"), sa.column("inputs"), schema=schema)
    came = sa.table("workflow_output", sa.column("workflow_uuid"), sa.column("error"), schema=schema)
    query = (
        sa.select(
            status.c.status,
            sa.func.coalesce(given.c.inputs, status.c.inputs).label("inputs"),
            sa.func.coalesce(came.c.error, status.c.error).label("error"),
        )
        .select_from(
            status.outerjoin(given, given.c.workflow_uuid == status.c.workflow_uuid).outerjoin(
                came, came.c.workflow_uuid == status.c.workflow_uuid
            )
        )
        .where(status.c.workflow_uuid == workflow_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return Remains(status="DELETED", start=None, failure=None)
    return Remains(status=row.status, start=start_in(row.inputs), failure=failure_in(row.error))


def name_of(connection: sa.Connection, workflow_id: str) -> str:
    """The flow that a workflow is a leg of, by its name; empty where there is none."""
    this = sa.select(flows.c.flow).where(flows.c.flow_id == flow_of(workflow_id))
    return connection.execute(this).scalar() or ""


def _leg_of(row: Any) -> str:
    return FlowStart(flow_id=row.flow_id, first_step="", leg=row.leg).workflow_id


def _step(flow: Flow[Any] | None, name: str) -> Step[Any] | None:
    return next((step for step in flow.rows if step.name == name), None) if flow is not None else None


def _status(connection: sa.Connection) -> sa.TableClause:
    columns = ("workflow_uuid", "status", "executor_id", "started_at_epoch_ms", "inputs", "error")
    return sa.table("workflow_status", *map(sa.column, columns), schema=_schema(connection))


def _schema(connection: sa.Connection) -> str | None:
    return None if connection.dialect.name == "sqlite" else "dbos"
