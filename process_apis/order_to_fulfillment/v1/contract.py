"""Order to fulfillment, version 1: one order from acceptance to invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, amend, by, create, read, search
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
from system_apis.canonical.refusals import AlreadyShipped, ChannelRefused, DuplicateOrder, FourEyes, WrongState
from system_apis.canonical.values import AccountId, RecordId, Reference


class OrderToFulfillmentV1(Contract, Protocol, owner="Order operations"):
    """Places orders and brings each one to its invoice, or undoes everything that was done for it.

    An order is accepted at once and worked on afterwards: `status` says how far it is, `stage` says
    so in more detail. One idempotency key makes one order, however often and wherever it is sent.
    """

    @create(
        "/orders",
        scope="order-to-fulfillment.orders:write",
        raises=[DuplicateOrder, ChannelRefused],
        accepted=True,
        visible=by("account_id"),
        location="/orders/{order_id}",
    )
    async def place_order(self, order: NewOrder) -> Order:
        """Place an order at the account's own prices.

        Each channel has rules of its own, such as a marketplace's, whose orders name the channel's
        own order and are paid already. The same lines under the same reference within a day are
        refused as a duplicate, by whatever channel they come, unless `repeat` says that they are meant.

        Answered as soon as the order is kept. With `Prefer: wait=n` the answer is held until the
        order is completed, rejected, cancelled or on hold, or for n seconds.
        """
        ...

    @create(
        "/agreed-orders",
        scope="order-to-fulfillment.agreed-orders:write",
        raises=[DuplicateOrder, ChannelRefused],
        accepted=True,
        visible=by("account_id"),
        location="/orders/{order_id}",
    )
    async def place_agreed_order(self, order: NewAgreedOrder) -> Order:
        """Place an order at prices that inside sales agreed.

        Apart from the prices it is an order like any other.
        """
        ...

    @read("/orders/{order_id}", scope="order-to-fulfillment.orders:read", visible=by("account_id"))
    async def get_order(self, order_id: RecordId) -> Order:
        """An order and how far it is."""
        ...

    @search("/orders", scope="order-to-fulfillment.orders:read", visible=by("account_id"))
    async def list_orders(
        self,
        *,
        account_id: AccountId | None = None,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Order]:
        """Orders, newest first, by account, status, the customer's reference or last change."""
        ...

    @action(
        "/orders/{order_id}/cancel",
        scope="order-to-fulfillment.orders:write",
        raises=[AlreadyShipped, WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def cancel_order(self, order_id: RecordId, cancellation: OrderCancellation) -> Order:
        """Cancel an order, or what is left of it.

        Before it is released to a warehouse everything done for it is undone. After that, what has not
        left stays in its warehouse, and what has left is expected back as a return. Refused when all of
        it has left. The answer is held for a moment to show the outcome. Asking again for a cancelled
        order changes nothing.
        """
        ...

    @amend(
        "/orders/{order_id}",
        scope="order-to-fulfillment.orders:write",
        raises=[WrongState],
        visible=by("account_id"),
    )
    async def amend_order(self, order_id: RecordId, amendment: OrderAmendment) -> Order:
        """Change quantities, address or day of an order before it is released to a warehouse.

        Everything done for it is undone and it begins anew, at the prices of the moment. `If-Match`
        names the revision that was read. Refused as a wrong state once it is released.
        """
        ...

    @action(
        "/orders/{order_id}/approve",
        scope="order-to-fulfillment.approvals:write",
        raises=[FourEyes, WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def approve_order(self, order_id: RecordId, decision: OrderDecision) -> Order:
        """Say yes to an order of high value that waits for it.

        Refused to who placed the order.
        """
        ...

    @action(
        "/orders/{order_id}/refuse",
        scope="order-to-fulfillment.approvals:write",
        raises=[FourEyes, WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def refuse_order(self, order_id: RecordId, decision: OrderDecision) -> Order:
        """Say no to an order of high value; it is rejected then.

        Refused to who placed the order.
        """
        ...

    @read("/orders/{order_id}/timeline", scope="order-to-fulfillment.orders:read", visible=by("account_id"))
    async def get_timeline(self, order_id: RecordId) -> Timeline:
        """What was done for an order, oldest first."""
        ...
