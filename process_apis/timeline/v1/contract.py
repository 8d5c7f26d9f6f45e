"""Timeline, version 1: where every process stands, what it went through, and how long things take."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, by, read, search
from process_apis.timeline.v1.model import (
    AnyId,
    FlowMeasures,
    Instant,
    LateOrder,
    OrderInTrouble,
    QueueMeasures,
    ServiceLevels,
    StepMeasures,
    Timeline,
    TimelineSummary,
    Word,
)
from system_apis.canonical.values import AccountId, RecordId

COUNTS = "Counts and durations of all work together; no record and no account is named in them."


class TimelineV1(Contract, Protocol, owner="Order operations"):
    """One timeline for every business process, over all tiers and systems, found by any of its numbers.

    It is read from what the processes keep of themselves, so it shows what happened up to the last
    step that was recorded, whether a system behind them is there or away.
    """

    @search("/timelines", scope="timeline.timelines:read", visible=by("account_id"))
    async def find_timelines(
        self,
        *,
        any_id: AnyId,
        account_id: AccountId | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[TimelineSummary]:
        """The processes that a number belongs to, newest first.

        The number may be an order's, a quote's, a return's, an invoice's, a shipment's or a payment's,
        the customer's own reference, or the idempotency key that a request was sent with.
        """
        ...

    @read("/timelines/{flow_id}", scope="timeline.timelines:read", visible=by("account_id"))
    async def get_timeline(self, flow_id: RecordId) -> Timeline:
        """One process from its acceptance to where it is now: steps, waits, failures, exceptions, events, kin."""
        ...

    @search("/orders-without-invoice", scope="timeline.timelines:read", visible=by("account_id"))
    async def list_orders_without_invoice(
        self, *, account_id: AccountId | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[OrderInTrouble]:
        """Orders that were accepted and whose invoice failed, oldest first."""
        ...

    @search("/orders-not-refreshed", scope="timeline.timelines:read", visible=by("account_id"))
    async def list_orders_not_refreshed(
        self, *, account_id: AccountId | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[OrderInTrouble]:
        """Orders whose goods have left and whose channel was not told in time, oldest first."""
        ...

    @search("/late-orders", scope="timeline.timelines:read", visible=by("account_id"))
    async def list_late_orders(
        self, *, account_id: AccountId | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[LateOrder]:
        """Orders that are past their service level now, oldest first."""
        ...

    @read("/service-levels", scope="timeline.timelines:read", public_because="Levels are promised to all alike.")
    async def get_service_levels(self) -> ServiceLevels:
        """How long an order may take, by channel and priority."""
        ...

    @read("/measures/steps", scope="timeline.measures:read", public_because=COUNTS)
    async def measure_steps(
        self,
        *,
        flow: Word | None = None,
        step: Word | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> StepMeasures:
        """Cycle time, waiting and failures of each step, over the runs started in a time.

        Without `since` the time begins 7 days before `until`, which is now unless it is given.
        """
        ...

    @read("/measures/flows", scope="timeline.measures:read", public_because=COUNTS)
    async def measure_flows(
        self, *, flow: Word | None = None, since: Instant | None = None, until: Instant | None = None
    ) -> FlowMeasures:
        """Cycle time, outcomes and exceptions of each process, over the runs started in a time."""
        ...

    @read("/measures/queues", scope="timeline.measures:read", public_because=COUNTS)
    async def measure_queues(
        self,
        *,
        queue: Word | None = None,
        flow: Word | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
    ) -> QueueMeasures:
        """How many exceptions each queue had and how long they took to be resolved, over those opened in a time."""
        ...
