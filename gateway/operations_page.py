"""The operations page: queues, exceptions that are due first, and orders in trouble, for people at a desk or on a phone.

One document without script, that loads its stylesheet from the gateway and nothing else; made anew for
each request from the APIs that everybody uses. What is to be done about a line is said as the command
that does it. While the database is away the page answers 503 like the APIs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from gateway.composition.account_directory import GATEWAY
from governance.bindings.assembly import Assembly
from governance.call import Call, Clock, enter, leave
from governance.contract import api_of
from governance.pages import Html, code, page, table, tag
from process_apis.exceptions.v1.contract import ExceptionsV1
from process_apis.exceptions.v1.model import FlowException, QueueState
from process_apis.timeline.v1.contract import TimelineV1
from process_apis.timeline.v1.model import LateOrder, OrderInTrouble

MOST = 100
"""So many lines of each table; the APIs have the rest."""
PATH = "/operations"


class OperationsPage:
    """Asks the process APIs, wherever they run, and writes the page."""

    def __init__(self, assembly: Assembly, clock: Clock) -> None:
        self._exceptions: Any = assembly.stub("gateway", ExceptionsV1, api_of(ExceptionsV1).operations)
        self._timelines: Any = assembly.stub("gateway", TimelineV1, api_of(TimelineV1).operations)
        self._clock = clock

    async def __call__(self) -> bytes:
        """The page as it is now.

        Raises:
            SystemUnavailable: the database of flows is away.
        """
        token = enter(Call(principal=GATEWAY, operation_id="gateway.operations_page"))
        try:
            queues = await self._exceptions.list_queues()
            stuck = await self._exceptions.list_exceptions(limit=MOST)
            late = await self._timelines.list_late_orders(limit=MOST)
            unbilled = await self._timelines.list_orders_without_invoice(limit=MOST)
            untold = await self._timelines.list_orders_not_refreshed(limit=MOST)
        finally:
            leave(token)
        now = self._clock.now()
        return page(
            "Operations",
            tag("p", f"As of {_moment(now)} UTC. Load the page again for what is new."),
            _queues(queues.queues),
            _exceptions(stuck.items, now, more=stuck.next_cursor is not None),
            _late(late.items),
            _troubled("Orders without an invoice", "Every order that was accepted has its invoice.", unbilled.items),
            _troubled("Channels that were not told", "Every channel knows what has left.", untold.items),
        )


def _queues(queues: Sequence[QueueState]) -> Html:
    rows = [
        (one.queue, one.owner, str(one.open), str(one.unassigned), str(one.overdue), _moment(one.next_due_at))
        for one in queues
    ]
    heads = ("Queue", "Team", "Open", "Unassigned", "Overdue", "Next due (UTC)")
    return tag("section", tag("h2", "Queues"), table("What waits for people", heads, rows))


def _exceptions(found: Sequence[FlowException], now: datetime, *, more: bool) -> Html:
    heading = tag("h2", "Exceptions")
    if not found:
        return tag("section", heading, tag("p", "Nothing waits for people."))
    advice = tag("p", "Those first that are due first.", " There are more than are shown." if more else "")
    return tag("section", heading, advice, *(_exception(one, now) for one in found))


def _exception(one: FlowException, now: datetime) -> Html:
    """One exception; what it is about is read at once, the rest opens below it."""
    late = ", overdue" if one.due_at < now else ""
    facts = {
        "Process": f"{one.flow_id} ({one.flow}) of {one.account_id}",
        "Stuck at": one.step,
        "Due": f"{_moment(one.due_at)} UTC{late}",
        "With": one.assignee or "nobody",
        "Can be settled by": ", ".join(one.choices),
    }
    commands = (f"tiergate exceptions show {one.exception_id}", f"tiergate trace {one.flow_id}")
    told = tag("dl", *(part for term, fact in facts.items() for part in (tag("dt", term), tag("dd", fact))))
    todo = tag("p", "See all of it with ", code(commands[0]), " and ", code(commands[1]), ".")
    heading = tag("summary", tag("strong", one.queue), f"{late}: {one.reason}")
    return tag("article", tag("details", heading, told, todo))


def _late(found: Sequence[LateOrder]) -> Html:
    heading = tag("h2", "Late orders")
    if not found:
        return tag("section", heading, tag("p", "Every order is within its service level."))
    rows = [
        (
            one.order_id, one.account_id, one.reference, one.channel, one.status, one.stage, one.milestone,
            _moment(one.due_at), one.level,
        )
        for one in found
    ]  # fmt: skip
    heads = ("Order", "Account", "Reference", "Channel", "Status", "Stage", "Should be", "Since (UTC)", "Level")
    return tag("section", heading, table("Orders past their service level", heads, rows))


def _troubled(title: str, none: str, found: Sequence[OrderInTrouble]) -> Html:
    heading = tag("h2", title)
    if not found:
        return tag("section", heading, tag("p", none))
    rows = [
        (one.order_id, one.account_id, one.reference, one.channel, one.status, _moment(one.since), one.reason)
        for one in found
    ]
    heads = ("Order", "Account", "Reference", "Channel", "Status", "Since (UTC)", "What happened")
    return tag("section", heading, table(title, heads, rows))


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if at else "–"
