"""One stretch of a flow in one process: from where it was taken up to its end or its next rest."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from copy import copy
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.call import Clock
from governance.contract.refusals import IdempotencyKeyReused
from process_apis.events.outbox import append
from process_apis.flow.initiator import Initiator
from process_apis.flow.run import Run
from process_apis.flow.signals import heard
from process_apis.flow.table import Flow, Stage, Step
from process_apis.flow.tables import flows
from process_apis.flow.timeline import LEG_ROOM, STEP_ROOM, add_to_timeline, timeline_rows
from process_apis.flow.trouble import close
from process_apis.flow.verdict import FlowStart, Verdict
from system_apis.canonical.refusals import ReferenceTaken

if TYPE_CHECKING:
    from process_apis.events.event import NewEvent

WATCHED = (flows.c.committed, flows.c.cancel_requested, flows.c.cancel_reason, flows.c.amendments)
"""What other processes may change while the flow runs."""
TAKEN_UP = sa.select(flows).where(flows.c.flow_id == sa.bindparam("this"))
LOOK = sa.select(*WATCHED).where(flows.c.flow_id == sa.bindparam("this"), flows.c.leg == sa.bindparam("now"))
INITIATOR = msgspec.json.Decoder(Initiator)
SUSPECT = 2
"""A flow that was under way when its process died, this often without a step done between."""
OTHER_CONTENT = frozenset({ReferenceTaken.type, IdempotencyKeyReused.type})
"""The problems of an effect that stands under its key with other content."""
TAKES_UP = "tiergate_takes_up"
"""The option of the statement with which a process takes up a leg: whoever listens to statements learns of it."""


class Superseded(Exception):
    """Another leg of the flow has begun: this one has nothing more to do."""


class Ahead(Struct, frozen=True):
    """A group that is begun while the checkpoint before it is still to be written."""

    index: int
    scout: Leg
    task: asyncio.Task[Verdict]

    @property
    def is_done_well(self) -> bool:
        """Whether all its steps are done."""
        ended = self.task.done() and not self.task.cancelled() and self.task.exception() is None
        return ended and self.task.result().outcome == "done"


class Kept(Struct, frozen=True, kw_only=True):
    """What one checkpoint writes: everything that was settled since the one before."""

    rows: list[dict[str, Any]]
    state: Any
    events: tuple[NewEvent, ...]
    closes: str
    at: datetime


class Leg:
    """A flow under way, with what the database last said about it."""

    def __init__(self, flow: Flow[Any], performer: Any, start: FlowStart, run: Run[Any], row: Any) -> None:
        self.flow = flow
        self.performer = performer
        """The object whose methods the steps are."""
        self.start = start
        self.run = run
        self.account_id: str = row.account_id
        self.priority: int = row.priority
        self.turn: str = row.turn
        self.crashes: int = row.crashes
        self.trials: int = row.trials
        self.amended: int = row.amended
        self.exception_id = start.exception_id
        self.held = start.held
        self.heard: dict[tuple[str, ...], int] = {}
        """Which signal was the newest when a step read them, by what it listens to."""
        self.to_tell: list[NewEvent] = []
        """What the checkpoint tells of groups that are done, in their order."""
        self.events: list[NewEvent] = []
        """What the group under way leads to be told."""
        self.groups = flow.groups
        self.rows = flow.rows
        begins = (index for index in range(len(self.groups)) if start.first_step in self.names(index))
        self.first_group: int | None = next(begins, None)
        """The group that the leg begins with; None when the table has no such step any more."""
        self.pivot_group = next(index for index, group in enumerate(self.groups) if group[-1][0].pivot)
        self.index = self.resumed_at = self.first_group or 0
        """The group under way, and the first one that no checkpoint holds yet."""
        self.tried: set[str] = set()
        """Steps that were asked: what came of an attempt that failed is not known."""
        self.ahead: Ahead | None = None
        """What is under way beyond ``index`` of the last checkpoint."""
        self.set_out_with: Any = None
        """The state that a scout began with."""
        self.on_trial = False
        """It is alone, so that it is known whom its process dies of."""
        self.judging = asyncio.Lock()
        self._crashed: bool = row.crashes > 0
        self._wary: bool = row.wary
        """A process died under the flow before its pivot: more may have been begun than is recorded."""
        self.back: Verdict | None = start.back
        """Why the flow goes backward, once it does."""
        self.wake = asyncio.Event()
        """Set when something happened that a sleeping step should look at."""
        self.observe(row)

    @classmethod
    def load(cls, connection: sa.Connection, flow: Flow[Any], performer: Any, start: FlowStart, clock: Clock) -> Leg:
        """Take up the flow from its rows, as of its last checkpoint.

        Raises:
            Superseded: the flow has ended, or gone on from the checkpoint that ended this leg.
        """
        query = TAKEN_UP.execution_options(**{TAKES_UP: start.workflow_id})
        row = connection.execute(query, {"this": start.flow_id}).one()
        if row.leg != start.leg or row.ended_us is not None:
            raise Superseded(f"{start.workflow_id}: leg {row.leg} has begun")
        run = Run(
            flow_id=start.flow_id,
            api_id=flow.api_id,
            key=row.key,
            revision=row.revision,
            initiator=INITIATOR.decode(row.initiator),
            state=flow.book.load(connection, start.flow_id),
            clock=clock,
        )
        return cls(flow, performer, start, run, row)

    def observe(self, row: Any) -> None:
        """Take note of what others may have asked for since."""
        self.committed: bool = row.committed
        self.cancel_requested: bool = row.cancel_requested
        self.run.cancel_reason = row.cancel_reason
        self.amendments: int = row.amendments

    @property
    def fresh_start(self) -> FlowStart:
        """A start with the leg's history forgotten: a step that was never asked before."""
        return replace(self.start, parks=0, failing_us=0, attempts=0)

    @property
    def amend_requested(self) -> bool:
        """Whether somebody wished to amend the flow since."""
        return self.amendments > self.amended

    @property
    def careful(self) -> bool:
        """Whether a stride may have reached further than the flow is now, when its process died."""
        far = self.pivot_group - 1 if self.resumed_at < self.pivot_group else len(self.groups) - 1
        return self._crashed and self.index < far

    @property
    def suspect(self) -> bool:
        """Whether the flow may be what its process dies of."""
        return self.crashes >= SUSPECT

    def names(self, index: int) -> tuple[str, ...]:
        """The steps of a group."""
        return tuple(step.name for stage in self.groups[index] for step in stage)

    def begun(self, index: int) -> list[Step[Any]]:
        """Every step that may have been begun when the flow turns back at this group, the last first.

        Where a process died under it nobody knows how far it got, nor which steps applied: what that depends on was not
        kept. So all of them are undone.
        """
        last, certain = index, index + 1
        if self._wary and index <= self.pivot_group:
            last, certain = max(index, self.pivot_group - 1), index
        known = [stage for group in self.groups[:certain] for stage in group]
        beyond = [step for group in self.groups[certain : last + 1] for stage in group for step in stage]
        return [*reversed(beyond), *(step for stage in reversed(known) for step in reversed(self.applying(stage)))]

    def applying(self, stage: Stage[Any]) -> list[Step[Any]]:
        """The steps of a stage that the flow has."""
        return [step for step in stage if step.when is None or step.when(self.run.state)]

    def skips(self, step: Step[Any]) -> bool:
        """Whether people settled the step by hand; it is noted then."""
        if step.name not in self.start.skip:
            return False
        self.run.note(step.name, self.flow.name, "skipped")
        return True

    def contradicted(self, index: int, verdict: Verdict) -> bool:
        """Whether an effect stands under its key with what was read before a crash, which is not what is read now.

        It is undone then with all others, and the flow begins anew.
        """
        return self._wary and index <= self.pivot_group and verdict.problem in OTHER_CONTENT

    def next_group(self, index: int) -> int | None:
        """The next group that the flow has after ``index``, or None at the end."""
        later = range(index + 1, len(self.groups))
        return next((i for i in later if any(self.applying(stage) for stage in self.groups[i])), None)

    def strides_on(self, index: int) -> int | None:
        """The group that may share the checkpoint of ``index``; None where that one has to be written first.

        What a step was told is kept before anything follows from it: after a crash it may have been told more.
        """
        alone = self.careful or self.crashes or self.exception_id or self.held or self.start.skip
        told = any(step.listens and step.name in self.tried for stage in self.groups[index] for step in stage)
        following = None if alone or told else self.next_group(index)
        return None if following == self.pivot_group else following

    def reached(self, index: int, verdict: Verdict) -> int:
        """The last group that a checkpoint which began with ``index`` holds."""
        if not verdict.reached:
            return index
        return next(i for i in range(index, len(self.groups)) if self.names(i)[-1] == verdict.reached)

    def scout(self) -> Leg:
        """The same leg for a group whose outcome may belong into another checkpoint than what was done so far."""
        beside = copy(self)
        beside.run, beside.events = self.run.branch(), []
        beside.mark(None, self.names(self.index)[0])
        beside.set_out_with = beside.run.state
        return beside

    def round_off(self) -> None:
        """Have what was done so far told before what is done next."""
        news: Sequence[NewEvent] = () if self.flow.news is None else self.flow.news(self.run.state)
        self.to_tell += [*news, *self.events]
        self.events = []

    def join(self, scout: Leg) -> None:
        """Go on from where the scout got to."""
        if scout.run.state is not scout.set_out_with:
            self.run.state = scout.run.state
        self.held = scout.held
        self.run.notes += scout.run.notes
        self.events += scout.events

    def let_go(self) -> None:
        """Wait for nothing any more."""
        if self.ahead is not None:
            self.ahead.task.cancel()

    def row(self, name: str) -> Step[Any] | None:
        """The step of this name."""
        return next((step for step in self.rows if step.name == name), None)

    def status_by(self, name: str) -> str | None:
        """The status that the flow has once step ``name`` is done; None: the one it has."""
        status = self.flow.status if self.held else None
        for step in self.rows:
            status = step.status or status
            if step.name == name:
                break
        return status

    def mark(self, status: str | None, stage: str) -> None:
        """Put the state under a new status (None: the same) and stage."""
        self.run.state = self.flow.book.mark(self.run.state, status, stage, self.run.clock.now())

    def collect(self, step_id: int, *, went_on: bool) -> Kept:
        """What the next checkpoint writes; the places of its notes are the same on every repeat."""
        place = self.start.leg * LEG_ROOM + step_id * STEP_ROOM
        notes, self.run.notes = self.run.notes, []
        self.round_off()
        events, self.to_tell = tuple(self.to_tell), []
        closes, self.exception_id = (self.exception_id, "") if went_on else ("", self.exception_id)
        rows = timeline_rows(self.run.flow_id, place, notes)
        now = self.run.clock.now()
        return Kept(rows=rows, state=self.run.state, events=events, closes=closes, at=now)

    def keep(self, connection: sa.Connection, kept: Kept, **changes: Any) -> None:
        """Write it, and ``changes`` of the flow's own row.

        Raises:
            Superseded: another leg has begun since.
        """
        this = sa.and_(flows.c.flow_id == self.run.flow_id, flows.c.leg == self.start.leg)
        if self.crashes:
            changes |= {"crashes": 0, "trials": 0}
        if changes:
            changed = sa.update(flows).where(this).values(changes)
            self._observed(connection.execute(changed.returning(*WATCHED)).one_or_none())
        elif not self.committed:
            seen = connection.execute(LOOK, {"this": self.run.flow_id, "now": self.start.leg})
            self._observed(seen.one_or_none())
        self.flow.book.save(connection, self.run.flow_id, kept.state)
        add_to_timeline(connection, kept.rows)
        if kept.closes:
            close(connection, kept.closes, kept.at)
        append(connection, kept.events, kept.at)

    def _observed(self, row: Any) -> None:
        if row is None:
            raise Superseded(f"{self.start.workflow_id}: another leg has begun")
        self.observe(row)

    def following(self, index: int, verdict: Verdict) -> FlowStart:
        """The leg after a rest at the group ``index``, on the same way as this one."""
        first_step = self.names(index)[0]
        return FlowStart(
            flow_id=self.run.flow_id,
            first_step=first_step,
            leg=self.start.leg + 1,
            parks=self.start.parks + 1 if first_step == self.start.first_step else 1,
            failing_us=verdict.failing_us,
            attempts=verdict.attempts,
            skip=self.start.skip,
            told=self.start.told,
            held=self.held,
            exception_id=self.exception_id,
        )

    def unheard(self, connection: sa.Connection) -> bool:
        """Whether something came since that a step of this leg wants to know."""
        if not self.committed and (self.cancel_requested or self.amend_requested):
            return True
        return any(heard(connection, self.run.flow_id, names)[1] > last for names, last in self.heard.items())


def gate() -> dict[str, Any]:
    """The change that passes the point of no return, unless a cancel or a wish to amend came first."""
    turned = sa.or_(flows.c.cancel_requested, flows.c.amendments > flows.c.amended)
    return {"committed": sa.or_(flows.c.committed, sa.not_(turned))}
