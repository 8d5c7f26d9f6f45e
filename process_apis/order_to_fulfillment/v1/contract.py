"""Order to fulfillment, version 1: one order from acceptance to invoice."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, search
from process_apis.order_to_fulfillment.v1.model import (
    NewAgreedOrder,
    NewOrder,
    Order,
    OrderCancellation,
    OrderStatus,
    Timeline,
)
from system_apis.canonical.refusals import AlreadyShipped, ChannelRefused, DuplicateOrder, WrongState
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
        """Cancel an order that was not handed to a warehouse yet.

        What was done for it is undone; the answer is held for a moment to show the outcome. Asking
        again for a cancelled order changes nothing.
        """
        ...

    @read("/orders/{order_id}/timeline", scope="order-to-fulfillment.orders:read", visible=by("account_id"))
    async def get_timeline(self, order_id: RecordId) -> Timeline:
        """What was done for an order, oldest first."""
        ...
