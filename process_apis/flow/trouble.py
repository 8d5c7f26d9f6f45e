"""Exceptions as rows: what a flow can't settle itself, for people, with what they may choose.

A flow has at most one open exception. It is opened in the checkpoint in which the flow comes to
rest, kept up to date while the flow asks again by itself, and closed in the checkpoint in which the
flow went on. People settle it at most once, in one transaction with what the flow then does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.call import derive_key
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.exception import ExceptionOpened
from process_apis.flow.queues import queue_of
from process_apis.flow.signals import CANCEL
from process_apis.flow.table import Flow, Step
from process_apis.flow.tables import exceptions
from process_apis.flow.timeline import microseconds
from process_apis.flow.verdict import FlowStart, Verdict

Choice = Literal["retry", "skip", "amend", "cancel"]
UNDO = "undo:"
AMEND_STEP = "amend"
"""What is stuck when a wish to amend can't be followed: skipping it goes on with the flow as it was."""
SECOND_US = 1_000_000
MOST_WORDS = 2_000


class Settlement(Struct, frozen=True, kw_only=True):
    """What people decided about an exception."""

    choice: Choice
    reason: str
    by: str
    body: bytes = b""
    """What ``amend`` wishes, as the flow's own ``amend`` reads it."""


class Evidence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was seen of it; the state itself stays with the flow, which does not change while it rests."""

    stage: str
    revision: int
    leg: int
    attempts: int
    error: str
    failing_since_us: int = 0
    going_back: bool = False
    committed: bool = False
    may_turn_back: bool = False
    """Whether a cancel has everything undone; if not, the step hears of it and sees to what that means."""


def choices(flow: Flow[Any], step: Step[Any] | None, where: str, *, before_return: bool) -> tuple[Choice, ...]:
    """What people may choose for an exception at ``where``; ``before_return``: the flow may still turn back."""
    if where.startswith(UNDO):
        return ("retry", "skip")
    if where == AMEND_STEP:
        return ("retry", "skip", "cancel")
    allowed: list[Choice] = ["retry"]
    if step is not None and _skippable(step, before_return=before_return):
        allowed.append("skip")
    if before_return:
        if flow.amend is not None:
            allowed.append("amend")
        allowed.append("cancel")
    elif step is not None and CANCEL in step.listens:
        allowed.append("cancel")
    return tuple(allowed)


def _skippable(step: Step[Any], *, before_return: bool) -> bool:
    if step.skippable is not None:
        return step.skippable
    return not before_return or step.retry.refusal == "people"


class Trouble(Struct, frozen=True, kw_only=True):
    """What a flow can't settle itself, as it is told to people."""

    flow_id: str
    flow: str
    account_id: str
    queue: str
    verdict: Verdict
    evidence: Evidence
    allowed: tuple[Choice, ...]

    def keep_open(self, connection: sa.Connection, known_id: str, now: datetime) -> tuple[str, Settlement | None]:
        """Open an exception for the flow, or keep ``known_id`` up to date; its id.

        With the settlement, where people have settled ``known_id`` since it was last looked at.
        """
        if known_id:
            this, step = exceptions.c.exception_id == known_id, self.verdict.step
            known = sa.update(exceptions).where(this, exceptions.c.status == "open", exceptions.c.step == step)
            if connection.execute(known.values(self._found(now))).rowcount:
                return known_id, None
            settled = connection.execute(sa.select(exceptions.c.settlement).where(this)).scalar()
            if settled:
                return "", decoded(settled)
            close(connection, known_id, now)
        return self._open(connection, now), None

    def _open(self, connection: sa.Connection, now: datetime) -> str:
        exception_id = "exc-" + derive_key("exception", self.flow_id, self.evidence.leg).lower()
        opened = {
            "exception_id": exception_id,
            "flow_id": self.flow_id,
            "flow": self.flow,
            "account_id": self.account_id,
            "status": "open",
            "opened_us": microseconds(now),
            "due_us": microseconds(now) + queue_of(self.queue).due_s * SECOND_US,
            **self._found(now),
        }
        connection.execute(sa.insert(exceptions).values(opened))
        told = ExceptionOpened(
            exception_id=exception_id,
            flow_id=self.flow_id,
            account_id=self.account_id,
            queue=self.queue,
            step=self.verdict.step,
            problem=self.verdict.problem,
            reason=self.verdict.reason[:MOST_WORDS],
        )
        append(connection, (happened(told, subject=self.flow_id, account_id=self.account_id),), now)
        return exception_id

    def _found(self, now: datetime) -> dict[str, Any]:
        return {
            "step": self.verdict.step,
            "kind": self.verdict.kind,
            "problem": self.verdict.problem,
            "reason": self.verdict.reason,
            "evidence": msgspec.json.encode(self.evidence).decode(),
            "choices": msgspec.json.encode(self.allowed).decode(),
            "queue": self.queue,
            "updated_us": microseconds(now),
        }


def close(connection: sa.Connection, exception_id: str, now: datetime) -> None:
    """Close an exception that is open: the flow went on by itself."""
    this = sa.update(exceptions).where(exceptions.c.exception_id == exception_id, exceptions.c.status == "open")
    connection.execute(this.values(status="closed", settled_us=microseconds(now), updated_us=microseconds(now)))


def settled_by(start: FlowStart, step: str, settlement: Settlement, *, may_turn_back: bool) -> FlowStart:
    """The leg that follows a settlement of what is stuck at ``step``."""
    start = replace(start, exception_id="", failing_us=0, attempts=0, parks=0)
    if settlement.choice == "skip":
        return replace(start, skip=(*start.skip, step))
    if settlement.choice == "amend":
        return replace(start, back=Verdict(outcome="amended"))
    if settlement.choice == "cancel" and may_turn_back:
        return replace(start, back=Verdict(outcome="cancelled", reason=settlement.reason))
    return start


def seen(kept: str) -> Evidence:
    """The evidence of an exception, as it is kept."""
    return msgspec.json.decode(kept, type=Evidence)


def offered(kept: str) -> tuple[Choice, ...]:
    """The choices of an exception, as they are kept."""
    return msgspec.json.decode(kept, type=tuple[Choice, ...])


def encoded(settlement: Settlement) -> str:
    """A settlement as it is kept."""
    return msgspec.json.encode(settlement).decode()


def decoded(kept: str) -> Settlement:
    """A settlement as it was given."""
    return msgspec.json.decode(kept, type=Settlement)
