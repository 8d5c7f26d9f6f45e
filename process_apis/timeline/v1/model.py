"""Answers of timeline v1. This version owns all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, RecordId

AnyId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="An order, quote, return, invoice, shipment, payment, the customer's reference or an idempotency key.",
        examples=["PO-1001"],
    ),
]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_:-]{0,79}$", description="The name of a flow, a step or a queue.")]
Instant = Annotated[datetime, Meta(tz=True)]


class BusinessId(Struct, frozen=True, kw_only=True):
    """A number by which people or systems call a part of the process."""

    kind: str
    """``order_to_fulfillment``, ``reference``, ``invoice``, ``shipment``, ``payment``, ``idempotency_key`` and more."""
    value: str


class TimelineSummary(Struct, frozen=True, kw_only=True):
    """A process that an id belongs to."""

    flow_id: RecordId
    flow: str
    """The process, such as ``order_to_fulfillment``."""
    account_id: AccountId
    matched: tuple[str, ...]
    """What the id is to it, such as ``invoice``."""
    started_at: datetime
    ended: bool


class TimelineCall(Struct, frozen=True, kw_only=True):
    """One call that a step made, or one decision of the process itself."""

    at: datetime
    """When it began."""
    step: str
    """The step, with the part of it that the call was for, such as ``ship:HAM``."""
    tier: str
    api: str
    owner: str
    """Who owns that API; empty where it is not known here."""
    operation: str
    outcome: str
    """``done``, ``refused``, ``failed``, ``undone``, ``nothing_to_undo`` and what else may come."""
    detail: str
    duration_ms: int


class TimelineStep(Struct, frozen=True, kw_only=True):
    """One step, from its begin until the process went on."""

    step: str
    began_at: datetime
    until: datetime
    """When the process went on; for the step under way, now."""
    outcome: str
    """How its last call ended; ``under_way`` while it goes on."""
    elapsed_ms: int
    working_ms: int
    """What its calls took."""
    waiting_ms: int
    """The rest: for a system, for goods, for somebody."""
    failures: int
    """Calls that were refused or failed; one that fails again in the same way counts once."""
    calls: tuple[TimelineCall, ...]


class TimelineException(Struct, frozen=True, kw_only=True):
    """What the process could not settle by itself."""

    exception_id: RecordId
    queue: str
    step: str
    kind: str
    problem: str
    reason: str
    status: str
    assignee: str
    opened_at: datetime
    due_at: datetime
    settled_at: datetime | None
    choice: str
    """How people settled it; empty while they have not."""


class TimelineSignal(Struct, frozen=True, kw_only=True):
    """What the process was told from outside."""

    at: datetime
    name: str
    source_id: str


class TimelineEvent(Struct, frozen=True, kw_only=True):
    """What the process told others."""

    at: datetime
    type: str
    event_id: str


class RelatedProcess(Struct, frozen=True, kw_only=True):
    """Another process of the same account that names this one, or is named by it."""

    flow_id: RecordId
    flow: str
    relation: str
    """``parent``, ``child``, ``names`` (this one names it) or ``named_by``."""
    started_at: datetime
    ended: bool


class Timeline(Struct, frozen=True, kw_only=True):
    """One process over all tiers and systems, oldest first."""

    flow_id: RecordId
    flow: str
    account_id: AccountId
    owner: str
    """Who owns the process."""
    status: str
    stage: str
    """The step under way in more detail; an open list of words."""
    client: str
    """Who had it started."""
    started_at: datetime
    ended_at: datetime | None
    elapsed_ms: int
    working_ms: int
    waiting_ms: int
    request_id: str
    """Of the request that was accepted: it leads into the log and the hops."""
    trace_id: str
    """The trace of that request (W3C Trace Context); empty where it was not traced."""
    ids: tuple[BusinessId, ...]
    steps: tuple[TimelineStep, ...]
    exceptions: tuple[TimelineException, ...]
    signals: tuple[TimelineSignal, ...]
    events: tuple[TimelineEvent, ...]
    related: tuple[RelatedProcess, ...]


class OrderInTrouble(Struct, frozen=True, kw_only=True):
    """An order that is not where it should be."""

    order_id: RecordId
    account_id: AccountId
    reference: str
    channel: str
    status: str
    stage: str
    placed_at: datetime
    since: datetime
    """Since when it is in this trouble."""
    reason: str
    """What stands in its way, as far as the process knows."""


class LateOrder(Struct, frozen=True, kw_only=True):
    """An order that is past its service level."""

    order_id: RecordId
    account_id: AccountId
    reference: str
    channel: str
    priority: int
    status: str
    stage: str
    placed_at: datetime
    level: str
    """The service level's name."""
    milestone: str
    """What it should have reached: ``confirmed``, ``shipped`` or ``completed``."""
    due_at: datetime
    late_s: int


class ServiceLevel(Struct, frozen=True, kw_only=True):
    """How long orders may take to each milestone, seconds from acceptance. The first level that fits is an order's."""

    name: str
    channels: tuple[str, ...]
    """Empty: all."""
    most_priority: int | None
    """Up to this priority number; none: every priority."""
    confirmed_s: int
    shipped_s: int
    completed_s: int


class ServiceLevels(Struct, frozen=True, kw_only=True):
    """All service levels, in the order in which they are looked through."""

    levels: tuple[ServiceLevel, ...]
    channel_told_s: int
    """How soon after the goods have left the channel should know."""


class Spread(Struct, frozen=True, kw_only=True):
    """How a time is spread over what was measured; percentiles are values that were measured (nearest rank)."""

    count: int
    mean_ms: int
    p50_ms: int
    p90_ms: int
    p99_ms: int
    longest_ms: int


class StepMeasure(Struct, frozen=True, kw_only=True):
    """One step of one process."""

    flow: str
    step: str
    cycle: Spread
    """From its begin until the process went on."""
    waiting: Spread
    tried: int
    """How many runs began it."""
    failed: int
    """In how many of them a call was refused or failed."""
    failure_rate_bp: int
    """``failed`` of ``tried``, in hundredths of a per cent."""


class OutcomeCount(Struct, frozen=True, kw_only=True):
    """How many ended in one way."""

    outcome: str
    count: int


class FlowMeasure(Struct, frozen=True, kw_only=True):
    """One process."""

    flow: str
    started: int
    under_way: int
    outcomes: tuple[OutcomeCount, ...]
    cycle: Spread
    """Of those that ended, from acceptance to the last thing done."""
    waiting: Spread
    with_exceptions: int
    """How many needed people at least once."""
    exception_rate_bp: int
    """``with_exceptions`` of ``started``, in hundredths of a per cent."""


class QueueMeasure(Struct, frozen=True, kw_only=True):
    """One queue, over the exceptions opened in the time asked for."""

    queue: str
    opened: int
    resolved: int
    overdue: int
    """Open past their due time now."""
    resolved_late: int
    escalated: int
    resolution: Spread
    """From opened to settled, or closed because the process went on."""


class StepMeasures(Struct, frozen=True, kw_only=True):
    """Steps of the runs started in a time."""

    since: datetime
    until: datetime
    considered: int
    """Over so many runs, the newest."""
    complete: bool
    """Whether these are all that were started in that time."""
    steps: tuple[StepMeasure, ...]


class FlowMeasures(Struct, frozen=True, kw_only=True):
    """Processes of the runs started in a time."""

    since: datetime
    until: datetime
    considered: int
    complete: bool
    flows: tuple[FlowMeasure, ...]


class QueueMeasures(Struct, frozen=True, kw_only=True):
    """Queues, over the exceptions opened in a time."""

    since: datetime
    until: datetime
    considered: int
    complete: bool
    queues: tuple[QueueMeasure, ...]
