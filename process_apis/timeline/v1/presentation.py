"""What this version shows of a flow's history and of measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from governance.contract import Api
from process_apis.flow.timeline import instant
from process_apis.timeline import measures
from process_apis.timeline.history import History
from process_apis.timeline.stretches import Entry, Stretch, ended_as, stretches
from process_apis.timeline.v1.model import (
    BusinessId,
    FlowMeasure,
    OutcomeCount,
    QueueMeasure,
    RelatedProcess,
    Spread,
    StepMeasure,
    Timeline,
    TimelineCall,
    TimelineEvent,
    TimelineException,
    TimelineSignal,
    TimelineStep,
)

WHOLE_BP = 10_000


def timeline_of(history: History, state: Any, apis: Mapping[str, Api], now_us: int) -> Timeline:
    """A flow as one timeline; ``state`` is its record, or None where that is not there."""
    row = history.row
    outcome = (row.outcome or ended_as(history.entries)) if row.ended else ""
    stage = str(getattr(state, "stage", outcome))
    found = stretches(history.entries, stage=stage, now_us=None if row.ended else now_us)
    until_us = max((one.until_us for one in found), default=row.started_us)
    working_us = sum(one.working_us for one in found)
    elapsed_us = until_us - row.started_us
    own = apis.get(_api_id(row.flow, history))
    return Timeline(
        flow_id=row.flow_id,
        flow=row.flow,
        account_id=row.account_id,
        owner=own.owner if own else "",
        status=str(getattr(state, "status", outcome)),
        stage=stage,
        client=history.initiator.client_id,
        started_at=instant(row.started_us),
        ended_at=instant(until_us) if row.ended else None,
        elapsed_ms=_ms(elapsed_us),
        working_ms=_ms(working_us),
        waiting_ms=_ms(max(elapsed_us - working_us, 0)),
        request_id=history.initiator.request_id,
        trace_id=_trace_id(history.initiator.traceparent),
        ids=tuple(BusinessId(kind=one.kind, value=one.value) for one in history.ids),
        steps=tuple(_step(one, apis) for one in found),
        exceptions=tuple(map(_exception, history.exceptions)),
        signals=tuple(
            TimelineSignal(at=instant(one.at_us), name=one.name, source_id=one.source_id) for one in history.signals
        ),
        events=tuple(
            TimelineEvent(at=instant(one.at_us), type=one.type, event_id=one.event_id) for one in history.events
        ),
        related=tuple(
            RelatedProcess(
                flow_id=kin.row.flow_id,
                flow=kin.row.flow,
                relation=kin.relation,
                started_at=instant(kin.row.started_us),
                ended=kin.row.ended,
            )
            for kin in history.kin
        ),
    )


def step_measure(one: measures.StepMeasure) -> StepMeasure:
    """One step's figures with its rate."""
    return StepMeasure(
        flow=one.flow,
        step=one.step,
        cycle=_spread(one.cycle),
        waiting=_spread(one.waiting),
        tried=one.tried,
        failed=one.failed,
        failure_rate_bp=_rate_bp(one.failed, one.tried),
    )


def flow_measure(one: measures.FlowMeasure) -> FlowMeasure:
    """One process's figures with its rate."""
    return FlowMeasure(
        flow=one.flow,
        started=one.started,
        under_way=one.under_way,
        outcomes=tuple(OutcomeCount(outcome=outcome, count=count) for outcome, count in one.outcomes),
        cycle=_spread(one.cycle),
        waiting=_spread(one.waiting),
        with_exceptions=one.with_exceptions,
        exception_rate_bp=_rate_bp(one.with_exceptions, one.started),
    )


def queue_measure(one: measures.QueueMeasure) -> QueueMeasure:
    """One queue's figures."""
    return QueueMeasure(
        queue=one.queue,
        opened=one.opened,
        resolved=one.resolved,
        overdue=one.overdue,
        resolved_late=one.resolved_late,
        escalated=one.escalated,
        resolution=_spread(one.resolution),
    )


def _api_id(flow: str, history: History) -> str:
    """The API of the flow: the one that accepted it."""
    return next((entry.api for entry in history.entries if entry.tier == "process"), f"{flow}.v1")


def _trace_id(traceparent: str | None) -> str:
    parts = (traceparent or "").split("-")
    return parts[1] if len(parts) == 4 else ""


def _step(one: Stretch, apis: Mapping[str, Api]) -> TimelineStep:
    return TimelineStep(
        step=one.step,
        began_at=instant(one.began_us),
        until=instant(one.until_us),
        outcome=one.outcome,
        elapsed_ms=_ms(one.elapsed_us),
        working_ms=_ms(one.working_us),
        waiting_ms=_ms(one.waiting_us),
        failures=one.failures,
        calls=tuple(_call(entry, apis) for entry in one.entries),
    )


def _call(entry: Entry, apis: Mapping[str, Api]) -> TimelineCall:
    api = apis.get(entry.api)
    return TimelineCall(
        at=instant(entry.at_us),
        step=entry.step,
        tier=entry.tier,
        api=entry.api,
        owner=api.owner if api else "",
        operation=entry.operation,
        outcome=entry.outcome,
        detail=entry.detail,
        duration_ms=entry.duration_ms,
    )


def _exception(row: Any) -> TimelineException:
    settlement = msgspec.json.decode(row.settlement, type=dict[str, Any]) if row.settlement else {}
    return TimelineException(
        exception_id=row.exception_id,
        queue=row.queue,
        step=row.step,
        kind=row.kind,
        problem=row.problem,
        reason=row.reason,
        status=row.status,
        assignee=row.assignee,
        opened_at=instant(row.opened_us),
        due_at=instant(row.due_us),
        settled_at=None if row.settled_us is None else instant(row.settled_us),
        choice=str(settlement.get("choice", "")),
    )


def _spread(one: measures.Spread) -> Spread:
    return Spread(
        count=one.count,
        mean_ms=one.mean_ms,
        p50_ms=one.p50_ms,
        p90_ms=one.p90_ms,
        p99_ms=one.p99_ms,
        longest_ms=one.longest_ms,
    )


def _rate_bp(part: int, of: int) -> int:
    return (2 * part * WHOLE_BP + of) // (2 * of) if of else 0


def _ms(microseconds: int) -> int:
    return microseconds // 1_000
