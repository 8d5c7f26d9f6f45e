"""Doing it again: a flow from one of its steps on, or a corrected run of one that ended without goods.

A replay keeps the flow's id. Steps that stand are asked again under the keys they had, so they make
nothing twice; where everything was undone the revision rises and the effects are new ones. A rerun
is a new flow that names the old one. Neither begins where it would leave out an effect that was
undone, and neither turns a finished run back: after the pivot a flow is replayed forward only.

Both can be tried: a dry run says what would happen and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import derive_key
from process_apis.flow.resting import Enqueue, change, following, note_between, taken
from process_apis.flow.run import Note
from process_apis.flow.signals import signed
from process_apis.flow.table import Flow, Step
from process_apis.flow.tables import exceptions, flows
from process_apis.flow.timeline import add_to_timeline, microseconds, timeline_rows
from process_apis.flow.verdict import FlowStart

END = "completed"


class Replay(Struct, frozen=True, kw_only=True):
    """What a replay or rerun does, or would do."""

    flow_id: str
    """The flow that goes on: of a rerun the new one."""
    allowed: bool
    why: str = ""
    """Why it is not allowed."""
    steps: tuple[str, ...] = ()
    """The steps that are done, as far as the state tells beforehand."""
    revision: int = 0
    """The revision of the keys: a higher one makes new effects."""
    renews: bool = False
    """Whether everything was undone, so that the effects are new ones."""


class Replaying(Struct, frozen=True, kw_only=True):
    """The transactions of replays of one flow's table, for ``by``, at this time."""

    flow: Flow[Any]
    enqueue: Enqueue
    now: datetime
    by: str
    reason: str

    def replay(self, connection: sa.Connection, flow_id: str, step: str, *, dry_run: bool) -> Replay:
        """Do a flow again from ``step`` on, under its own id."""
        row = self._row(connection, flow_id, dry_run=dry_run)
        state = self.flow.book.load(connection, flow_id)
        plan = self._plan(row, state, step)
        if plan.allowed and not dry_run:
            self._again(connection, row, state, step, plan)
        return plan

    def rerun(
        self, connection: sa.Connection, flow_id: str, step: str, body: bytes, source_id: str, *, dry_run: bool
    ) -> Replay:
        """Begin a corrected run of a flow that ended with everything undone, under an id made of ``source_id``."""
        row = self._row(connection, flow_id, dry_run=dry_run)
        state = self.flow.book.load(connection, flow_id)
        plan = self._plan(row, state, step)
        new_id = f"{flow_id.partition('-')[0]}-{derive_key('rerun', flow_id, source_id).lower()}"
        if self.flow.renew is None:
            return Replay(flow_id=new_id, allowed=False, why="The flow has no corrected run.")
        if plan.allowed and not plan.renews:
            return Replay(flow_id=new_id, allowed=False, why="Only a run whose effects are undone is done anew.")
        known = sa.select(flows.c.flow_id).where(flows.c.flow_id == new_id)
        if plan.allowed and not dry_run and connection.execute(known).scalar() is None:
            self._anew(connection, row, new_id, self.flow.renew(state, new_id, signed(body, self.by)), step)
        return msgspec.structs.replace(plan, flow_id=new_id, revision=0)

    def _row(self, connection: sa.Connection, flow_id: str, *, dry_run: bool) -> Any:
        if not dry_run:
            return taken(connection, flow_id)
        return connection.execute(sa.select(flows).where(flows.c.flow_id == flow_id)).one()

    def _plan(self, row: Any, state: Any, step: str) -> Replay:
        rows = self.flow.rows
        at = next((place for place, one in enumerate(rows) if one.name == step), None)
        if at is None:
            return Replay(flow_id=row.flow_id, allowed=False, why=f"The flow has no step {step}.")
        undone = bool(row.ended and not row.committed)
        why = self._objection(row, rows, at, undone=undone)
        steps = tuple(one.name for one in rows[at:] if one.when is None or one.when(state))
        return Replay(
            flow_id=row.flow_id,
            allowed=not why,
            why=why,
            steps=() if why else steps,
            revision=row.revision + undone,
            renews=undone,
        )

    def _objection(self, row: Any, rows: Sequence[Step[Any]], at: int, *, undone: bool) -> str:
        pivot = next(place for place, one in enumerate(rows) if one.pivot)
        if row.ended and row.ended_us is None:
            return "Its end is still being told."
        if not row.ended and not row.resting:
            return "It is under way."
        if undone and at > pivot:
            return "Everything was undone, so it begins before its pivot or with it."
        if undone:
            left_out = next((one.name for one in rows[:at] if one.undo is not None), "")
            return f"Everything was undone, and beginning there would leave out {left_out}." if left_out else ""
        if row.committed and at <= pivot:
            return "It has passed its pivot: from there it goes forward only."
        if row.ended:
            return ""
        start = following(row)
        if start.back is not None:
            return "It is on its way back."
        return "It has not come so far." if at > self._place(start.first_step) else ""

    def _place(self, name: str) -> int:
        rows = self.flow.rows
        return next((place for place, one in enumerate(rows) if one.name == name), len(rows))

    def _again(self, connection: sa.Connection, row: Any, state: Any, step: str, plan: Replay) -> None:
        names = [one.name for one in self.flow.rows]
        here = self._place(following(row).first_step) if row.resting else len(names)
        told = () if plan.renews else (*names[:here], *((END,) if row.ended else ()))
        leg = row.leg + 1 if row.ended else row.leg
        start = FlowStart(flow_id=row.flow_id, first_step=step, leg=leg, told=told, held=bool(row.resting))
        change(
            connection,
            row.flow_id,
            leg=leg,
            revision=plan.revision,
            ended=False,
            ended_us=None,
            outcome="",
            cancel_requested=False,
            cancel_reason="",
            resting="",
            due_us=None,
        )
        state = self.flow.book.mark(state, self.flow.status if plan.renews else None, step, self.now)
        self.flow.book.save(connection, row.flow_id, state)
        still_open = sa.update(exceptions).where(exceptions.c.flow_id == row.flow_id, exceptions.c.status == "open")
        now_us = microseconds(self.now)
        connection.execute(still_open.values(status="closed", settled_us=now_us, updated_us=now_us))
        note_between(connection, row.flow_id, leg, self._note(step, "replayed", self._words))
        self.enqueue(connection, row.flow, start, row.priority)

    def _anew(self, connection: sa.Connection, row: Any, new_id: str, state: Any, step: str) -> None:
        kept = ("flow", "account_id", "fingerprint", "initiator", "priority")
        new = {name: getattr(row, name) for name in kept}
        new |= {"flow_id": new_id, "key": new_id, "parent_id": row.flow_id, "started_us": microseconds(self.now)}
        connection.execute(sa.insert(flows).values(new))
        self.flow.book.add(connection, new_id, state)
        begun = self._note(step, "accepted", f"{self._words}; in place of {row.flow_id}")
        add_to_timeline(connection, timeline_rows(new_id, 0, [begun]))
        note_between(connection, row.flow_id, row.leg + 1, self._note(step, "rerun", f"{self._words}; as {new_id}"))
        self.enqueue(connection, row.flow, FlowStart(flow_id=new_id, first_step=step), row.priority)

    @property
    def _words(self) -> str:
        return f"{self.by}: {self.reason}"

    def _note(self, step: str, outcome: str, detail: str) -> Note:
        return Note(
            at=self.now, step=step, tier="process", api=self.flow.api_id, operation="replay", outcome=outcome,
            detail=detail,
        )  # fmt: skip
