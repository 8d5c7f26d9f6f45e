"""One stretch of a flow in one process: from where it was taken up to its end or its next parking."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from governance.call import Clock
from process_apis.flow.initiator import Initiator
from process_apis.flow.run import Run
from process_apis.flow.table import Flow, Step
from process_apis.flow.tables import flows
from process_apis.flow.timeline import add_to_timeline, timeline_rows
from process_apis.flow.verdict import FlowStart

LEG_ROOM = 1_000_000
STEP_ROOM = 1_000
WATCHED = (flows.c.committed, flows.c.cancel_requested, flows.c.cancel_reason)
"""What other processes may change while the flow runs."""
INITIATOR = msgspec.json.Decoder(Initiator)


class Leg:
    """A flow under way, with what the database last said about it."""

    def __init__(self, flow: Flow[Any], performer: Any, start: FlowStart, run: Run[Any], row: Any) -> None:
        self.flow = flow
        self.performer = performer
        """The object whose methods the steps are."""
        self.start = start
        self.run = run
        self.groups = flow.groups
        self.first_group = next(
            index for index, group in enumerate(self.groups) if start.first_step in [step.name for step in group]
        )
        self.pivot_group = next(index for index, group in enumerate(self.groups) if any(step.pivot for step in group))
        self.wake = asyncio.Event()
        """Set when something happened that a sleeping step should look at."""
        self.observe(row)

    @classmethod
    def load(cls, connection: sa.Connection, flow: Flow[Any], performer: Any, start: FlowStart, clock: Clock) -> Leg:
        """Take up the flow from its rows, as of its last checkpoint."""
        row = connection.execute(sa.select(flows).where(flows.c.flow_id == start.flow_id)).one()
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

    def applies(self, group: Sequence[Step[Any]]) -> bool:
        """Whether the flow has any step of this group."""
        return any(step.when is None or step.when(self.run.state) for step in group)

    def next_group(self, index: int) -> int | None:
        """The next group that the flow has after ``index``, or None at the end."""
        return next((i for i in range(index + 1, len(self.groups)) if self.applies(self.groups[i])), None)

    def status_by(self, name: str) -> str | None:
        """The status that the flow has once step ``name`` is done."""
        status: str | None = None
        for step in self.flow.steps:
            status = step.status or status
            if step.name == name:
                break
        return status

    def mark(self, status: str | None, stage: str) -> None:
        """Put the state under a new status (None: the same) and stage."""
        self.run.state = self.flow.book.mark(self.run.state, status, stage, self.run.clock.now())

    def take_notes(self, step_id: int) -> list[dict[str, Any]]:
        """The rows of what was noted since the last checkpoint; their place is the same on every repeat."""
        place = self.start.leg * LEG_ROOM + step_id * STEP_ROOM
        notes, self.run.notes = self.run.notes, []
        return timeline_rows(self.run.flow_id, place, notes)

    def save(
        self,
        connection: sa.Connection,
        *,
        rows: list[dict[str, Any]],
        state: Any,
        gate: bool = False,
        ended: bool = False,
        parked: bool = False,
    ) -> None:
        """Keep the state and the notes; ``gate`` passes the point of no return unless a cancel came first."""
        this = flows.c.flow_id == self.run.flow_id
        if gate or ended or parked:
            committed = sa.or_(flows.c.committed, sa.not_(flows.c.cancel_requested)) if gate else flows.c.committed
            changed = sa.update(flows).where(this).values(committed=committed, ended=ended, leg=self.start.leg + parked)
            self.observe(connection.execute(changed.returning(*WATCHED)).one())
        elif not self.committed:
            self.observe(connection.execute(sa.select(*WATCHED).where(this)).one())
        self.flow.book.save(connection, self.run.flow_id, state)
        add_to_timeline(connection, rows)
