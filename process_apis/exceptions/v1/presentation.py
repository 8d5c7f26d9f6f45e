"""What this version shows of an exception."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from process_apis.exceptions.choosing import would
from process_apis.exceptions.finding import QueueLoad
from process_apis.exceptions.v1.model import (
    BusinessId,
    ChoiceOpen,
    Deed,
    Evidence,
    ExceptionDetail,
    FlowException,
    QueueState,
    Replayed,
    Tried,
)
from process_apis.flow import trouble
from process_apis.flow.queues import Queue
from process_apis.flow.replaying import Replay
from process_apis.flow.table import Flow
from process_apis.flow.timeline import instant
from process_apis.timeline.identifiers import business_ids_of

NEWEST = 20
EVIDENCE = msgspec.json.Decoder(trouble.Evidence)
CHOICES = msgspec.json.Decoder(tuple[str, ...])


class Background(Struct, frozen=True, kw_only=True):
    """What belongs to an exception beside its row; rows as the tables have them."""

    deeds: Sequence[Any]
    entries: Sequence[Any]
    """The timeline of its flow, oldest first."""
    flow: Flow[Any] | None
    state: Any
    """The flow's record, or None."""


def exception_of(row: Any, now_us: int) -> FlowException:
    """An exception as a list shows it."""
    return FlowException(**_members(row, now_us))


def detail_of(row: Any, background: Background, now_us: int) -> ExceptionDetail:
    """An exception with all that is known about it."""
    return ExceptionDetail(
        **_members(row, now_us),
        would=tuple(
            ChoiceOpen(choice=choice, would=would(choice, row.step, background.flow, background.state))
            for choice in CHOICES.decode(row.choices)
        ),
        evidence=_evidence(row, background),
        deeds=tuple(
            Deed(number=one.number, at=instant(one.at_us), deed=one.deed, by=one.by, detail=one.detail)
            for one in background.deeds
        ),
    )


def queue_state(load: QueueLoad, queue: Queue) -> QueueState:
    """A queue with its team and its load."""
    return QueueState(
        queue=load.queue,
        owner=queue.owner,
        summary=queue.summary,
        due_s=queue.due_s,
        escalate_to=queue.escalate_to,
        open=load.open,
        unassigned=load.unassigned,
        overdue=load.overdue,
        escalated=load.escalated,
        next_due_at=None if load.next_due_us is None else instant(load.next_due_us),
    )


def replayed(flow_id: str, account_id: str, done: Replay, *, dry_run: bool) -> Replayed:
    """What became of a wish to do a flow again."""
    outcome = "not_allowed" if not done.allowed else "would_run" if dry_run else "runs"
    return Replayed(
        flow_id=flow_id,
        account_id=account_id,
        outcome=outcome,
        why=done.why,
        runs_as=done.flow_id,
        steps=done.steps,
        new_effects=done.renews,
    )


def _members(row: Any, now_us: int) -> dict[str, Any]:
    settlement = trouble.decoded(row.settlement) if row.settlement else None
    return {
        "exception_id": row.exception_id,
        "account_id": row.account_id,
        "flow_id": row.flow_id,
        "flow": row.flow,
        "queue": row.queue,
        "step": row.step,
        "kind": row.kind,
        "problem": row.problem,
        "reason": row.reason,
        "status": row.status,
        "assignee": row.assignee,
        "choices": CHOICES.decode(row.choices) if row.status == "open" else (),
        "opened_at": instant(row.opened_us),
        "updated_at": instant(row.updated_us),
        "due_at": instant(row.due_us),
        "overdue": row.status == "open" and row.due_us < now_us,
        "escalated_at": None if row.escalated_us is None else instant(row.escalated_us),
        "settled_at": None if row.settled_us is None else instant(row.settled_us),
        "choice": settlement.choice if settlement else "",
        "settled_by": settlement.by if settlement else "",
        "revision": row.revision,
    }


def _evidence(row: Any, background: Background) -> Evidence:
    seen = EVIDENCE.decode(row.evidence)
    state = background.state
    return Evidence(
        last_answer=seen.error,
        attempts=seen.attempts,
        failing_since=instant(seen.failing_since_us) if seen.failing_since_us else None,
        going_back=seen.going_back,
        past_pivot=seen.committed,
        revision=seen.revision,
        status=str(getattr(state, "status", "")),
        stage=str(getattr(state, "stage", seen.stage)),
        ids=tuple(BusinessId(kind=one.kind, value=one.value) for one in business_ids_of(state)) if state else (),
        tried=tuple(
            Tried(
                at=instant(one.at_us),
                step=one.step,
                api=one.api,
                operation=one.operation,
                outcome=one.outcome,
                detail=one.detail,
                duration_ms=one.duration_ms,
            )
            for one in background.entries[-NEWEST:]
        ),
    )
