"""Order to fulfillment v1: accepts orders for the flow, and shows how far they are.

An order's id is derived from who sent it and under which key, so the same key never makes two
orders, even when the store of answers has lost its memory. A database that is away is answered
with ``unavailable``; nothing was accepted then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import Call, Clock, current_call, derive_key
from governance.contract import CursorCodec, NotFound, Page
from process_apis.correspondence import NEEDS as CORRESPONDENCE
from process_apis.events.reports import Reports
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import timeline
from process_apis.flow.timeline import microseconds
from process_apis.order_to_fulfillment.announcements import accepted
from process_apis.order_to_fulfillment.book import OrderFilter
from process_apis.order_to_fulfillment.channel_reports import SOURCE, ChannelReports
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.duplicates import forget
from process_apis.order_to_fulfillment.flow import BOOK, ORDER_TO_FULFILLMENT
from process_apis.order_to_fulfillment.migration import MIGRATIONS
from process_apis.order_to_fulfillment.record import RESTING, Line, OrderRecord
from process_apis.order_to_fulfillment.settings import OrderSettings
from process_apis.order_to_fulfillment.steps import OrderSteps
from process_apis.order_to_fulfillment.steps.approval import waits_for_approval
from process_apis.order_to_fulfillment.stock_watch import StockWatch
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from process_apis.order_to_fulfillment.v1.deciding import Desk
from process_apis.order_to_fulfillment.v1.model import (
    NewAgreedOrder,
    NewOrder,
    Order,
    OrderAmendment,
    OrderCancellation,
    OrderDecision,
    OrderStatus,
    Timeline,
)
from process_apis.order_to_fulfillment.v1.showing import entry, shown
from process_apis.returns.v1.contract import ReturnsV1
from system_apis.canonical.refusals import AlreadyShipped, ChannelRefused
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.payments.v1.contract import PaymentsV1

LIST = "order_to_fulfillment.v1.list_orders"
ADDED = frozenset({"repeat", "shortage"})
"""Fields that orders did not have at first."""
BESIDE = frozenset({"prepared_by"})
"""Fields that don't make it another order: what they say is known of it in one version and not in another."""
CANCEL_PATIENCE_S = 2.0
"""How long a cancel is held to show that everything is undone, and a decision to show that it was heard."""
AMEND_PATIENCE_S = 5.0
"""How long an amendment is held to show the order as it begins anew."""


class OrderToFulfillment(OrderToFulfillmentV1):
    """Orders over the durable flow."""

    needs = (
        CrmV1.get_subtree,
        CrmV1.create_activity,
        ErpV1.get_terms,
        ErpV1.get_credit_status,
        ErpV1.price_basket,
        ErpV1.reserve_stock,
        ErpV1.release_reservation,
        ErpV1.consume_reservation,
        ErpV1.issue_part,
        ErpV1.release_part,
        ErpV1.close_sales_order,
        ErpV1.post_sales_order,
        ErpV1.cancel_sales_order,
        ErpV1.post_invoice,
        ErpV1.pay_invoice,
        ErpV1.record_payment,
        ErpV1.list_returns,
        PaymentsV1.authorize,
        PaymentsV1.capture,
        PaymentsV1.refund,
        PaymentsV1.void,
        LogisticsV1.release_shipment,
        LogisticsV1.cancel_shipment,
        LogisticsV1.get_shipment,
        CommerceV1.get_channel_order,
        CommerceV1.write_back_status,
        CommerceV1.list_notices,
        ReturnsV1.create_return,
        *CORRESPONDENCE,
    )

    def __init__(
        self,
        erp: ErpV1,
        crm: CrmV1,
        payments: PaymentsV1,
        logistics: LogisticsV1,
        commerce: CommerceV1,
        notifications: NotificationsV1,
        returns: ReturnsV1,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
        settings: OrderSettings | None = None,
    ) -> None:
        self._crm = crm
        self._flows = flows
        self._clock = clock
        self._cursors = cursors
        self._desk = Desk(flows, BOOK)
        flows.adopt(MIGRATIONS, forget)
        flows.accompany(StockWatch(flows))
        rules = settings or OrderSettings()
        steps = OrderSteps(erp, crm, payments, logistics, commerce, notifications, returns, rules)
        flows.register(ORDER_TO_FULFILLMENT, steps)
        flows.accompany(Reports(flows, clock, SOURCE, ChannelReports(commerce).read, api=ORDER_TO_FULFILLMENT.api_id))

    async def place_order(self, order: NewOrder) -> Order:
        """Place an order at the account's own prices."""
        lines = tuple(
            Line(line_no=number, sku=line.sku, quantity=line.quantity) for number, line in enumerate(order.lines, 1)
        )
        return await self._place(order, lines)

    async def place_agreed_order(self, order: NewAgreedOrder) -> Order:
        """Place an order at prices that inside sales agreed."""
        lines = tuple(
            Line(
                line_no=number,
                sku=line.sku,
                quantity=line.quantity,
                agreed_price=line.agreed_price,
                agreed_discount_bp=line.agreed_discount_bp,
            )
            for number, line in enumerate(order.lines, 1)
        )
        return await self._place(order, lines)

    async def get_order(self, order_id: RecordId) -> Order:
        """An order and how far it is."""
        return shown(await self._record(order_id))

    async def list_orders(
        self,
        *,
        account_id: AccountId | None = None,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Order]:
        """Orders, newest first."""
        account_ids = await self._visible(account_id)
        filters = (account_ids, status, reference, updated_since and updated_since.isoformat())
        last = self._cursors.decode(LIST, filters, cursor)
        after = (int(last[0]), str(last[1])) if last else None
        which = OrderFilter(account_ids=account_ids, status=status, reference=reference, updated_since=updated_since)
        found = await self._flows.read(lambda connection: BOOK.find(connection, which, after, limit + 1))
        return self._cursors.page(LIST, filters, tuple(map(shown, found)), limit, _place_in_list)

    async def cancel_order(self, order_id: RecordId, cancellation: OrderCancellation) -> Order:
        """Cancel an order, or as much of it as has not left."""
        order = await self._record(order_id)
        if order.account_id != cancellation.account_id:
            raise NotFound()
        if order.status != "cancelled" and not await self._flows.cancel(order_id, cancellation.reason):
            await self._desk.stop(order_id, cancellation)
        patience_s = max(current_call().wait_s, CANCEL_PATIENCE_S)
        order = await self._until_resting(order_id, patience_s)
        if order.status == "completed":  # everything had left before it was heard
            raise AlreadyShipped(record_id=order_id)
        return shown(order)

    async def amend_order(self, order_id: RecordId, amendment: OrderAmendment) -> Order:
        """Change an order before it is released."""
        before = await self._record(order_id)
        await self._desk.amend(order_id, amendment)
        return shown(await self._until(order_id, lambda order: order.amendments > before.amendments, AMEND_PATIENCE_S))

    async def approve_order(self, order_id: RecordId, decision: OrderDecision) -> Order:
        """Say yes to an order that waits for it."""
        return await self._decided(order_id, decision, approved=True)

    async def refuse_order(self, order_id: RecordId, decision: OrderDecision) -> Order:
        """Say no to an order that waits for it."""
        return await self._decided(order_id, decision, approved=False)

    async def get_timeline(self, order_id: RecordId) -> Timeline:
        """What was done for an order, oldest first."""
        order = await self._record(order_id)
        query = sa.select(timeline).where(timeline.c.flow_id == order_id).order_by(timeline.c.position)
        rows = await self._flows.read(lambda connection: connection.execute(query).all())
        return Timeline(order_id=order_id, account_id=order.account_id, entries=tuple(map(entry, rows)))

    async def _place(self, order: NewOrder | NewAgreedOrder, lines: tuple[Line, ...]) -> Order:
        _judge(order)
        call = current_call()
        now, channel = self._clock.now(), channel_of(order.channel)
        order_id = _order_id(call, order.account_id)
        first = OrderRecord(
            order_id=order_id,
            account_id=order.account_id,
            reference=order.reference,
            channel=order.channel,
            status="accepted",
            stage="accepted",
            lines=lines,
            placed_at=now,
            updated_at=now,
            wanted_payment=order.payment,
            card_token=order.card_token,
            ship_to=order.ship_to,
            requested_on=order.requested_on,
            channel_order_id=order.channel_order_id,
            repeat=order.repeat,
            shortage=order.shortage or channel.shortage,
            priority=channel.priority,
            placed_by=call.on_behalf_of.subject,
            prepared_by=order.prepared_by if isinstance(order, NewAgreedOrder) else (),
        )
        record = await self._flows.accept(
            ORDER_TO_FULFILLMENT,
            order_id,
            order.account_id,
            _fingerprint(order),
            first,
            call,
            priority=channel.priority,
            events=accepted(first),
        )
        if call.wait_s > 0:
            record = await self._until_resting(order_id, call.wait_s)
        return shown(record)

    async def _record(self, order_id: str) -> OrderRecord:
        return await self._flows.read(partial(BOOK.load, flow_id=order_id))

    async def _decided(self, order_id: str, decision: OrderDecision, *, approved: bool) -> Order:
        await self._desk.decide(order_id, decision, approved=approved)
        patience_s = max(current_call().wait_s, CANCEL_PATIENCE_S)
        return shown(await self._until(order_id, lambda order: not waits_for_approval(order), patience_s))

    async def _until_resting(self, order_id: str, seconds: float) -> OrderRecord:
        return await self._until(order_id, lambda order: False, seconds)

    async def _until(self, order_id: str, good: Callable[[OrderRecord], bool], seconds: float) -> OrderRecord:
        return await self._flows.until(
            order_id, partial(self._record, order_id), lambda order: order.status in RESTING or good(order), seconds
        )

    async def _visible(self, account_id: str | None) -> tuple[str, ...] | None:
        if account_id is not None:
            return (account_id,)
        accounts = current_call().on_behalf_of.accounts
        if accounts.reach == "all":
            return None
        if accounts.reach == "own":
            return accounts.ids
        trees = [await self._crm.get_subtree(root) for root in accounts.ids]
        return tuple(sorted({account for tree in trees for account in tree.account_ids}))


def _judge(order: NewOrder | NewAgreedOrder) -> None:
    """Hold an order to the rules of its channel."""
    channel = channel_of(order.channel)
    wrong = why = ""
    if channel.needs_channel_order and order.channel_order_id is None:
        wrong, why = "channel_order_id", f"{channel.title} orders name the channel's own order."
    elif channel.payment == "prepaid" and order.payment is not None:
        wrong, why = "payment", f"{channel.title} has the money already; leave out how it is paid."
    elif not channel.takes_reference(order.reference):
        wrong, why = "reference", f"{channel.title} orders carry {channel.reference_is}."
    if wrong:
        raise ChannelRefused(channel=channel.name, field=wrong, detail=why)


def _order_id(call: Call, account_id: str) -> str:
    operation = "order_to_fulfillment.v1." + call.operation_id.rpartition(".")[2]
    return "ord-" + derive_key("order", call.on_behalf_of.client_id, account_id, operation, call.key).lower()


def _fingerprint(order: Struct) -> str:
    """What makes it this order; a field that orders did not have at first counts once it says something."""
    stated = msgspec.to_builtins(order)
    for name in BESIDE & stated.keys():
        del stated[name]
    for name, unsaid in _added(type(order)).items():
        if getattr(order, name) == unsaid:
            del stated[name]  # or what was accepted before there was such a field would not be known again
    return hashlib.sha256(msgspec.json.encode(stated)).hexdigest()


@cache
def _added(kind: type[Struct]) -> dict[str, object]:
    """The fields of ``ADDED`` that this kind of order has, and their defaults; looking them up takes long."""
    return {field.name: field.default for field in msgspec.structs.fields(kind) if field.name in ADDED}


def _place_in_list(order: Order) -> tuple[str | int, ...]:
    return (microseconds(order.placed_at), order.order_id)
