"""What people may ask of an order under way: to decide about it, to amend it, to stop it.

Each answers for itself whether it came in time; the flow has the last word, and of two who ask at once
one is told that the other was first.
"""

from __future__ import annotations

from functools import partial

import msgspec
import sqlalchemy as sa

from governance.call import current_call
from governance.contract import NotFound, Violation
from governance.contract.refusals import InvalidBody, PreconditionFailed
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import signals
from process_apis.order_to_fulfillment.amendments import AmendedLine, Amendment
from process_apis.order_to_fulfillment.book import OrderBook
from process_apis.order_to_fulfillment.parts import can_stop
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps.approval import DECISION, Decision, waits_for_approval
from process_apis.order_to_fulfillment.steps.cancelling import CANCEL
from process_apis.order_to_fulfillment.v1.model import OrderAmendment, OrderCancellation, OrderDecision
from process_apis.order_to_fulfillment.v1.showing import revision_of
from system_apis.canonical.refusals import AlreadyShipped, FourEyes, WrongState

BEFORE_RELEASE = "accepted, allocated or confirmed"
ANY = "*"


class Desk:
    """Carries what people ask to the flow."""

    def __init__(self, flows: FlowRuntime, book: OrderBook) -> None:
        self._flows = flows
        self._book = book

    async def decide(self, order_id: str, decision: OrderDecision, *, approved: bool) -> None:
        """Tell the flow a yes or a no.

        Raises:
            NotFound: it is no order of this account.
            WrongState: it does not wait for one.
            FourEyes: the caller placed it, had a hand in its prices, or had it changed.
        """
        order = await self._of(order_id, decision.account_id)
        by = current_call().on_behalf_of.subject
        if not waits_for_approval(order) or order.status not in ("accepted", "allocated"):
            raise WrongState(record_id=order_id, state=order.stage, needs="waiting for approval")
        if by == order.placed_by:
            raise FourEyes(record_id=order_id, detail="Who placed an order can't decide about it.")
        if by in order.prepared_by:
            raise FourEyes(record_id=order_id, detail="Who had a hand in an order's prices can't decide about it.")
        if by in order.amended_by:
            raise FourEyes(record_id=order_id, detail="Who changed an order can't decide about it.")
        told = Decision(
            approved=approved, by=by, reason=decision.reason, amendments=order.amendments, total=order.total
        )
        source_id = f"{DECISION}:{order.begun}"
        if not await self._first(order_id, DECISION, msgspec.json.encode(told), source_id):
            raise WrongState(record_id=order_id, state="decided", needs="waiting for approval")

    async def amend(self, order_id: str, amendment: OrderAmendment) -> None:
        """Have an order begin anew, as it is wished.

        Raises:
            NotFound: it is no order of this account.
            InvalidBody: it has no such line, or nothing would be left of it.
            PreconditionFailed: it has changed since it was read.
            WrongState: it is released, or has ended.
        """
        order = await self._of(order_id, amendment.account_id)
        if order.status not in ("accepted", "allocated", "confirmed", "on_hold") or any(
            part.shipment_id for part in order.parts
        ):
            raise WrongState(record_id=order_id, state=order.status, needs=BEFORE_RELEASE)
        read = current_call().if_match if amendment.revision is None else str(amendment.revision)
        if read not in (None, ANY, str(revision_of(order))):
            raise PreconditionFailed
        _judge(order, amendment)
        wish = Amendment(
            lines=tuple(AmendedLine(line.line_no, line.quantity) for line in amendment.lines),
            ship_to=amendment.ship_to,
            requested_on=amendment.requested_on,
            by=current_call().on_behalf_of.subject,
        )
        body, source_id = msgspec.json.encode(wish), f"amend:{revision_of(order)}"
        judge = partial(self._refuse_overtaken, order_id=order_id, read=read)
        if not await self._flows.amend(order_id, body, source_id, judge):
            order = await self._of(order_id, amendment.account_id)
            raise WrongState(record_id=order_id, state=order.status, needs=BEFORE_RELEASE)
        if await self._told(order_id, source_id) != body:  # another wish for the same revision came first
            raise PreconditionFailed

    def _refuse_overtaken(
        self, connection: sa.Connection, another_waits: bool, order_id: str, read: str | None
    ) -> None:
        """Refuse a wish about an order that changed since it was read, or is about to by another wish."""
        order = self._book.load(connection, order_id)
        if read not in (None, ANY) and (another_waits or read != str(revision_of(order))):
            raise PreconditionFailed

    async def stop(self, order_id: str, cancellation: OrderCancellation) -> None:
        """Tell an order in the warehouses that it is not wanted any more, if there is something left to stop.

        Raises:
            WrongState: it was rejected.
            AlreadyShipped: all of it has left.
        """
        order = await self._of(order_id, cancellation.account_id)
        if order.status == "cancelled":
            return
        if order.status == "rejected":
            raise WrongState(record_id=order_id, state=order.status, needs="an order that is under way")
        if not can_stop(order):
            raise AlreadyShipped(record_id=order_id)
        await self._flows.signal(order_id, CANCEL, cancellation.reason.encode(), f"{CANCEL}:{current_call().key}")

    async def _first(self, order_id: str, name: str, body: bytes, source_id: str) -> bool:
        return (
            await self._flows.signal(order_id, name, body, source_id) or await self._told(order_id, source_id) == body
        )

    async def _told(self, order_id: str, source_id: str) -> bytes | None:
        query = sa.select(signals.c.body).where(signals.c.flow_id == order_id, signals.c.source_id == source_id)
        return await self._flows.read(lambda connection: connection.execute(query).scalar())

    async def _of(self, order_id: str, account_id: str) -> OrderRecord:
        order = await self._flows.read(partial(self._book.load, flow_id=order_id))
        if order.account_id != account_id:
            raise NotFound()
        return order


def _judge(order: OrderRecord, amendment: OrderAmendment) -> None:
    known = {line.line_no for line in order.lines}
    wrong = tuple(
        Violation(pointer=f"/lines/{place}/line_no", detail=f"the order has no line {line.line_no}")
        for place, line in enumerate(amendment.lines)
        if line.line_no not in known
    )
    wanted = {line.line_no: line.quantity for line in amendment.lines}
    if not wrong and not any(wanted.get(line_no, 1) for line_no in known):
        wrong = (Violation(pointer="/lines", detail="nothing would be left; cancel the order instead"),)
    if wrong:
        raise InvalidBody(wrong)
