"""How a leg comes to rest: the row that waits, and the exception where people have to see to it."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from process_apis.flow.leg import Kept, Leg
from process_apis.flow.resting import Enqueue, change
from process_apis.flow.table import Refused, Step
from process_apis.flow.trouble import AMEND_STEP, UNDO, Evidence, Trouble, choices, settled_by
from process_apis.flow.verdict import FlowStart, Verdict


class Rest(Struct, frozen=True, kw_only=True):
    """Where a flow rests, what it waits for, and how it goes on."""

    start: FlowStart
    verdict: Verdict
    trouble: Trouble

    @classmethod
    def of(cls, leg: Leg, start: FlowStart, verdict: Verdict, *, before_return: bool) -> Rest:
        """The rest of a leg; a flow that people have to see to is marked so first."""
        if verdict.outcome == "stuck":
            leg.mark("on_hold", verdict.step)
            leg.run.state = leg.flow.book.explain(leg.run.state, Refused(verdict.problem, verdict.reason))
            leg.run.note(verdict.step, leg.flow.name, "on_hold", verdict.reason)
            start = replace(start, held=True)
        return cls(start=start, verdict=verdict, trouble=_trouble(leg, start, verdict, before_return=before_return))

    def write(self, connection: sa.Connection, leg: Leg, kept: Kept, enqueue: Enqueue) -> None:
        """Lay the flow to rest in the transaction of its checkpoint, unless what it waits for has come meanwhile."""
        stuck = self.verdict.outcome == "stuck"
        at_once = self.verdict.outcome not in ("stuck", "parked")
        self._rest(connection, leg, kept, "" if at_once else "exception" if stuck else "due", self.start)
        start = self._opened(connection, kept) if stuck else self.start
        woken = start.exception_id != self.start.exception_id and not start.exception_id
        if at_once or woken or (start.back is None and leg.unheard(connection)):
            change(connection, leg.run.flow_id, resting="", due_us=None)
            enqueue(connection, leg.flow.name, start, leg.priority)
        elif start is not self.start:
            change(connection, leg.run.flow_id, following=msgspec.json.encode(start).decode())

    def _rest(self, connection: sa.Connection, leg: Leg, kept: Kept, resting: str, start: FlowStart) -> None:
        changes: dict[str, Any] = {
            "leg": start.leg,
            "resting": resting,
            "following": msgspec.json.encode(start).decode(),
            "due_us": self.verdict.due_us if resting else None,
        }
        leg.keep(connection, kept, **changes)

    def _opened(self, connection: sa.Connection, kept: Kept) -> FlowStart:
        exception_id, settlement = self.trouble.keep_open(connection, self.start.exception_id, kept.at)
        if settlement is not None:
            may_turn_back = self.trouble.evidence.may_turn_back
            return settled_by(self.start, self.verdict.step, settlement, may_turn_back=may_turn_back)
        return replace(self.start, exception_id=exception_id)


def _trouble(leg: Leg, start: FlowStart, verdict: Verdict, *, before_return: bool) -> Trouble:
    step = leg.row(verdict.step.removeprefix(UNDO))
    return Trouble(
        flow_id=leg.run.flow_id,
        flow=leg.flow.name,
        account_id=leg.account_id,
        queue=_queue(step, verdict) or leg.flow.queue,
        verdict=verdict,
        allowed=choices(leg.flow, step, verdict.step, before_return=before_return),
        evidence=Evidence(
            stage=start.first_step,
            revision=leg.run.revision,
            leg=leg.start.leg,
            attempts=verdict.attempts,
            error=verdict.reason,
            failing_since_us=verdict.failing_us,
            going_back=start.back is not None,
            committed=leg.committed,
            may_turn_back=before_return or verdict.step == AMEND_STEP,
        ),
    )


def _queue(step: Step[Any] | None, verdict: Verdict) -> str:
    return "" if step is None else step.queues.get(verdict.problem, step.queue)
