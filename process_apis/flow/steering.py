"""What people and the world outside do to a flow: each one transaction, with what the flow does next.

A flow that rests is queued in the same transaction; one that a process carries finds it in its row
at its next checkpoint or attempt. Before the pivot a flow can be cancelled and amended; after it,
and once it has ended, neither: what is finished is corrected by other flows.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from process_apis.flow.resting import Enqueue, change, following, note_between, taken, turn_back, wake
from process_apis.flow.run import Note
from process_apis.flow.signals import AMENDMENT, CANCEL, keep_signal, signed
from process_apis.flow.tables import exceptions
from process_apis.flow.timeline import microseconds
from process_apis.flow.trouble import Settlement, encoded, offered, seen, settled_by

Judge = Callable[[sa.Connection, bool], object]
"""Raises when a wish must not be kept; is told whether another one is waiting to be followed."""


class NoChoice(Exception):
    """The exception is no longer open, or does not offer this; nothing of it may be kept."""


class Steering(Struct, frozen=True, kw_only=True):
    """The transactions, for a process with this queue, at this time."""

    enqueue: Enqueue
    now: datetime

    def signal(self, connection: sa.Connection, flow_id: str, name: str, body: bytes, source_id: str) -> bool:
        """Keep a signal and wake its flow; False when it is known."""
        row = taken(connection, flow_id)
        new = keep_signal(connection, flow_id, name, body, source_id, self.now)
        if new and row is not None and row.resting == "due":
            wake(connection, row, self.enqueue)
        return new

    def cancel(self, connection: sa.Connection, flow_id: str, reason: str) -> bool:
        """Ask a flow to turn back for good; False when it has passed its pivot or ended."""
        row = taken(connection, flow_id)
        if row is None or row.committed or row.ended:
            return False
        turn_back(connection, row, self.now, self.enqueue, cancel_requested=True, cancel_reason=reason)
        return True

    def amend(
        self, connection: sa.Connection, flow_id: str, body: bytes, source_id: str, judge: Judge | None = None
    ) -> bool:
        """Ask a flow to begin anew with a wish followed; False when it has passed its pivot, turned back or ended.

        ``judge`` looks at a wish that is new, while nobody else can tell the flow anything; nothing is kept where it
        raises.
        """
        row = taken(connection, flow_id)
        if row is None or row.committed or row.ended or row.cancel_requested:
            return False
        back = following(row).back if row.resting else None
        if back is not None and back.outcome != "amended":
            return False
        if keep_signal(connection, flow_id, AMENDMENT, body, source_id or self._next_wish(row), self.now):
            if judge is not None:
                judge(connection, row.amendments > row.amended)
            turn_back(connection, row, self.now, self.enqueue, amendments=row.amendments + 1)
        return True

    def settle(self, connection: sa.Connection, exception_id: str, settlement: Settlement) -> bool:
        """Let a flow go on as people decided; False when there is no such exception.

        Raises:
            NoChoice: it is no longer open, or does not offer this.
        """
        this = exceptions.c.exception_id == exception_id
        exception = connection.execute(sa.select(exceptions.c.flow_id, exceptions.c.step).where(this)).one_or_none()
        row = taken(connection, exception.flow_id) if exception is not None else None
        if exception is None or row is None:
            return False
        open_now = sa.update(exceptions).where(this, exceptions.c.status == "open", exceptions.c.step == exception.step)
        now_us = microseconds(self.now)
        kept = connection.execute(
            open_now.values(
                status="settled", settlement=encoded(settlement), settled_us=now_us, updated_us=now_us
            ).returning(exceptions.c.choices, exceptions.c.evidence)
        ).one_or_none()
        if kept is None or settlement.choice not in offered(kept.choices):
            raise NoChoice
        may_turn_back = seen(kept.evidence).may_turn_back
        self._go_on(connection, row, exception.step, settlement, may_turn_back=may_turn_back)
        note = Note(
            at=self.now,
            step=exception.step,
            tier="process",
            api=row.flow,
            operation=settlement.choice,
            outcome="settled",
            detail=f"{settlement.by}: {settlement.reason}",
        )
        note_between(connection, row.flow_id, row.leg, note)
        return True

    def _go_on(
        self, connection: sa.Connection, row: Any, step: str, settlement: Settlement, *, may_turn_back: bool
    ) -> None:
        now = self.now
        resting = row.resting == "exception"
        if settlement.choice == "amend":
            source_id = settlement.by + self._next_wish(row)
            wish = signed(settlement.body, settlement.by)
            keep_signal(connection, row.flow_id, AMENDMENT, wish, source_id, now)
            change(connection, row.flow_id, amendments=row.amendments + 1)
        told = settlement.choice == "cancel" and not may_turn_back
        if told:  # there is no way back: the step hears of it, and sees to what has not left
            keep_signal(connection, row.flow_id, CANCEL, settlement.reason.encode(), f"{CANCEL}:{step}:{row.leg}", now)
        if not resting:  # the flow asks again by itself just now, and finds this when it is done or stuck again
            if settlement.choice == "cancel" and not told:
                change(connection, row.flow_id, cancel_requested=True, cancel_reason=settlement.reason)
            return
        start = settled_by(following(row), step, settlement, may_turn_back=may_turn_back)
        wake(connection, row, self.enqueue, start)

    def _next_wish(self, row: Any) -> str:
        return f"#{row.amendments + 1}"
