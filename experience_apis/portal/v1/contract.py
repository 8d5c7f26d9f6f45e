"""Portal, version 1: what a customer's portal shows and does for the account of its caller."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Protocol

from msgspec import Meta

from experience_apis.portal.v1.model import (
    Account,
    Invoice,
    InvoiceDetail,
    InvoiceStatus,
    NewOrder,
    Order,
    OrderEvent,
    OrderStatus,
    OrderSummary,
    Product,
    ProductDetail,
    Shipment,
    ShipmentDetail,
    ShipmentStatus,
    Timeline,
)
from experience_apis.portal.v1.order_changes import OrderAmendment
from experience_apis.portal.v1.quote_model import Quote, QuoteAcceptance, QuoteRefusal, QuoteStatus
from experience_apis.portal.v1.return_model import NewReturn, Return, ReturnStatus
from governance.contract import Contract, Cursor, Limit, Page, Stream, action, amend, by, create, read, search, stream
from system_apis.canonical.refusals import (
    AlreadyShipped,
    AmountExceeded,
    ChannelRefused,
    DuplicateOrder,
    QuoteExpired,
    QuoteSuperseded,
    UnknownAccount,
    UnknownProduct,
    WrongState,
)
from system_apis.canonical.values import Name, Quantity, RecordId, Reference, Sku, Text

Instant = Annotated[datetime, Meta(tz=True)]


class PortalV1(Contract, Protocol, owner="Customer portal"):
    """Products at your prices, your orders from placing to invoice, your shipments and your account.

    The account is the one that the access token stands for. No request names it, and what belongs
    to another account is not there.
    """

    @search("/products", scope="portal.products:read", raises=[UnknownAccount], visible=by("account_id"))
    async def list_products(
        self,
        *,
        query: Text | None = None,
        category: Name | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Product]:
        """Products by SKU with your price of one unit and what is available.

        `query` is looked for in SKU, name and description, without regard to case.
        """
        ...

    @read(
        "/products/{sku}",
        scope="portal.products:read",
        raises=[UnknownProduct, UnknownAccount, AmountExceeded],
        visible=by("account_id"),
    )
    async def get_product(self, sku: Sku, *, quantity: Quantity = 1) -> ProductDetail:
        """A product with your price for a quantity and what is available."""
        ...

    @create(
        "/orders",
        scope="portal.orders:write",
        raises=[DuplicateOrder, ChannelRefused],
        accepted=True,
        visible=by("account_id"),
        location="/orders/{order_id}",
    )
    async def place_order(self, order: NewOrder) -> Order:
        """Place an order at your prices.

        Answered as soon as the order is kept; `Location` shows how it goes on. With
        `Prefer: wait=n` the answer is held until the order is settled, or for n seconds. What can't
        be delivered, such as an unknown product, ends as `rejected` with the reason. The same lines
        under the same reference within a day are refused, unless `repeat` says that they are meant.
        """
        ...

    @search("/orders", scope="portal.orders:read", visible=by("account_id"))
    async def list_orders(
        self,
        *,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: Instant | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[OrderSummary]:
        """Your orders, newest first, by status, your own reference or last change."""
        ...

    @read("/orders/{order_id}", scope="portal.orders:read", visible=by("account_id"))
    async def get_order(self, order_id: RecordId) -> Order:
        """An order and how far it is."""
        ...

    @amend("/orders/{order_id}", scope="portal.orders:write", raises=[WrongState], visible=by("account_id"))
    async def amend_order(self, order_id: RecordId, amendment: OrderAmendment) -> Order:
        """Change quantities, address or day of an order before it is released to a warehouse.

        It begins anew, at your prices of the moment. `If-Match` names the revision that you read.
        Refused as a wrong state once it is released.
        """
        ...

    @action(
        "/orders/{order_id}/cancel",
        scope="portal.orders:write",
        raises=[AlreadyShipped, WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def cancel_order(self, order_id: RecordId) -> Order:
        """Cancel an order, or what is left of it.

        What has not left is not sent; what has left is expected back as a return. Refused when all of
        it has left. Asking again for a cancelled order changes nothing.
        """
        ...

    @read("/orders/{order_id}/timeline", scope="portal.orders:read", visible=by("account_id"))
    async def get_timeline(self, order_id: RecordId) -> Timeline:
        """What was done for an order, oldest first."""
        ...

    @stream("/orders/{order_id}/events", scope="portal.orders:read", visible=by("account_id"))
    async def follow_order(self, order_id: RecordId) -> Stream[OrderEvent]:
        """What happened to an order so far, and what happens to it from now on.

        A client that comes back with `Last-Event-ID` is told what came after that event, and nothing twice.
        """
        ...

    @search("/shipments", scope="portal.shipments:read", visible=by("account_id"))
    async def list_shipments(
        self,
        *,
        order_id: RecordId | None = None,
        status: ShipmentStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Shipment]:
        """Your shipments, oldest first, by order or status."""
        ...

    @read("/shipments/{shipment_id}", scope="portal.shipments:read", visible=by("account_id"))
    async def get_shipment(self, shipment_id: RecordId) -> ShipmentDetail:
        """A shipment and its tracking."""
        ...

    @search("/invoices", scope="portal.invoices:read", visible=by("account_id"))
    async def list_invoices(
        self, *, status: InvoiceStatus | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Invoice]:
        """Your invoices, oldest first, by status."""
        ...

    @read("/invoices/{invoice_id}", scope="portal.invoices:read", visible=by("account_id"))
    async def get_invoice(self, invoice_id: RecordId) -> InvoiceDetail:
        """An invoice and what is paid of it."""
        ...

    @read("/account", scope="portal.account:read", visible=by("account_id"))
    async def get_account(self) -> Account:
        """Your account: name, addresses and what you may still order on account."""
        ...

    @create(
        "/returns",
        scope="portal.returns:write",
        raises=[WrongState],
        accepted=True,
        visible=by("account_id"),
        location="/returns/{return_id}",
    )
    async def request_return(self, goods: NewReturn) -> Return:
        """Ask to send goods of an order back.

        Answered as soon as the wish is kept; `Location` shows how it goes on. With `Prefer: wait=n` the answer is
        held until it is authorised or rejected, or for n seconds. Write `number` on the parcel.
        """
        ...

    @search("/returns", scope="portal.returns:read", visible=by("account_id"))
    async def list_returns(
        self,
        *,
        order_id: RecordId | None = None,
        status: ReturnStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Return]:
        """Your returns, newest first, by order or status."""
        ...

    @read("/returns/{return_id}", scope="portal.returns:read", visible=by("account_id"))
    async def get_return(self, return_id: RecordId) -> Return:
        """A return and how far it is."""
        ...

    @action(
        "/returns/{return_id}/cancel",
        scope="portal.returns:write",
        raises=[WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def cancel_return(self, return_id: RecordId) -> Return:
        """Cancel a return before its goods are with us.

        Asking again for a cancelled one changes nothing.
        """
        ...

    @search("/quotes", scope="portal.quotes:read", visible=by("account_id"))
    async def list_quotes(
        self, *, status: QuoteStatus | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[Quote]:
        """Your quotes, newest first, by status."""
        ...

    @read("/quotes/{quote_id}", scope="portal.quotes:read", visible=by("account_id"))
    async def get_quote(self, quote_id: RecordId) -> Quote:
        """A quote and how far it is, to the order it became and what is open of its invoices."""
        ...

    @action(
        "/quotes/{quote_id}/accept",
        scope="portal.quotes:write",
        raises=[WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def accept_quote(self, quote_id: RecordId, acceptance: QuoteAcceptance) -> Quote:
        """Accept a revision of a quote; it becomes an order by itself.

        Only the newest revision can be accepted, until its last day. The first answer counts.
        """
        ...

    @action(
        "/quotes/{quote_id}/decline",
        scope="portal.quotes:write",
        raises=[WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def decline_quote(self, quote_id: RecordId, refusal: QuoteRefusal) -> Quote:
        """Say no to a revision of a quote."""
        ...
