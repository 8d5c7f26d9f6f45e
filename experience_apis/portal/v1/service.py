"""Portal v1 over catalogue, customer account and order to fulfillment.

The account is always the caller's (``current_call().account_id``), never one from a request; a
caller without one is refused. A record that comes back under another account is answered like one
that is not there, whatever the tiers below let through. What is away below comes through as
``unavailable``; nothing is kept here.
"""

from __future__ import annotations

from datetime import datetime

from experience_apis.portal.v1 import presentation, quoting, returning
from experience_apis.portal.v1.contract import PortalV1
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
from experience_apis.portal.v1.order_changes import OrderAmendment, wish_of
from experience_apis.portal.v1.quote_model import Quote, QuoteAcceptance, QuoteRefusal, QuoteStatus
from experience_apis.portal.v1.return_model import NewReturn, Return, ReturnStatus
from governance.call import current_call
from governance.contract import NotFound, Page, Stream, Violation
from governance.contract.refusals import InvalidBody, InvalidParameters
from process_apis.catalogue.v1.contract import CatalogueV1
from process_apis.customer_account.v1.contract import CustomerAccountV1
from process_apis.events.v1.contract import EventsV1
from process_apis.events.v1.model import EVENT_ID, CloudEvent
from process_apis.order_to_fulfillment.v1 import model as fulfillment
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from process_apis.quote_to_cash.v1 import model as quoted
from process_apis.quote_to_cash.v1.contract import QuoteToCashV1
from process_apis.returns.v1 import model as returned
from process_apis.returns.v1.contract import ReturnsV1
from system_apis.canonical.values import Name, Quantity, RecordId, Reference, Sku, Text

SHOWN = "order.*,inventory.*,shipment.*,invoice.*,payment.*,return.*"
"""Kinds of events that a customer is shown."""
UNKNOWN_EVENT = Violation(header="Last-Event-ID", detail="is no event that is kept of this order; begin without it")


class Portal(PortalV1):
    """What one account sees and does."""

    needs = (
        CatalogueV1.list_account_products,
        CatalogueV1.get_product,
        CustomerAccountV1.get_profile,
        CustomerAccountV1.list_shipments,
        CustomerAccountV1.get_shipment,
        CustomerAccountV1.list_invoices,
        CustomerAccountV1.get_invoice,
        OrderToFulfillmentV1.place_order,
        OrderToFulfillmentV1.get_order,
        OrderToFulfillmentV1.list_orders,
        OrderToFulfillmentV1.amend_order,
        OrderToFulfillmentV1.cancel_order,
        OrderToFulfillmentV1.get_timeline,
        EventsV1.follow_events,
        ReturnsV1.create_return,
        ReturnsV1.list_returns,
        ReturnsV1.get_return,
        ReturnsV1.cancel_return,
        QuoteToCashV1.list_quotes,
        QuoteToCashV1.get_quote,
        QuoteToCashV1.accept_quote,
        QuoteToCashV1.decline_quote,
    )

    def __init__(
        self,
        catalogue: CatalogueV1,
        accounts: CustomerAccountV1,
        orders: OrderToFulfillmentV1,
        events: EventsV1,
        returns: ReturnsV1,
        quotes: QuoteToCashV1,
    ) -> None:
        self._catalogue = catalogue
        self._accounts = accounts
        self._orders = orders
        self._events = events
        self._returns = returns
        self._quotes = quotes

    async def list_products(
        self, *, query: Text | None = None, category: Name | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Product]:
        """Products by SKU with the account's price of one unit."""
        found = await self._catalogue.list_account_products(
            current_call().account_id, query=query, category=category, limit=limit, cursor=cursor
        )
        return Page(tuple(map(presentation.product, found.items)), found.next_cursor)

    async def get_product(self, sku: Sku, *, quantity: Quantity = 1) -> ProductDetail:
        """A product with the account's price for a quantity."""
        found = await self._catalogue.get_product(current_call().account_id, sku, quantity=quantity)
        return presentation.product_detail(found)

    async def place_order(self, order: NewOrder) -> Order:
        """Place an order for the account."""
        _judge(order)
        placed = await self._orders.place_order(
            fulfillment.NewOrder(
                account_id=current_call().account_id,
                channel="portal",
                reference=order.reference,
                lines=tuple(fulfillment.NewOrderLine(sku=line.sku, quantity=line.quantity) for line in order.lines),
                ship_to=order.ship_to,
                payment=order.payment,
                card_token=order.card_token,
                requested_on=order.requested_on,
                repeat=order.repeat,
                shortage=order.shortage,
            )
        )
        return presentation.order(placed)

    async def list_orders(
        self,
        *,
        status: OrderStatus | None = None,
        reference: Reference | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[OrderSummary]:
        """The account's orders, newest first."""
        found = await self._orders.list_orders(
            account_id=current_call().account_id,
            status=status,
            reference=reference,
            updated_since=updated_since,
            limit=limit,
            cursor=cursor,
        )
        return Page(tuple(map(presentation.order_summary, found.items)), found.next_cursor)

    async def get_order(self, order_id: RecordId) -> Order:
        """An order and how far it is."""
        return presentation.order(await self._own_order(order_id))

    async def amend_order(self, order_id: RecordId, amendment: OrderAmendment) -> Order:
        """Change an order of the account before it is released."""
        order = await self._own_order(order_id)
        wish = wish_of(amendment, order.account_id, current_call().if_match)
        return presentation.order(await self._orders.amend_order(order_id, wish))

    async def cancel_order(self, order_id: RecordId) -> Order:
        """Cancel an order of the account."""
        order = await self._own_order(order_id)  # before anything is changed
        cancelled = await self._orders.cancel_order(
            order_id, fulfillment.OrderCancellation(account_id=order.account_id)
        )
        return presentation.order(cancelled)

    async def get_timeline(self, order_id: RecordId) -> Timeline:
        """What was done for an order."""
        found = await self._orders.get_timeline(order_id)
        if found.account_id != current_call().account_id:
            raise NotFound()
        return presentation.timeline(found)

    async def follow_order(self, order_id: RecordId) -> Stream[OrderEvent]:
        """What happened to an order so far, and what happens to it from now on."""
        order = await self._own_order(order_id)
        last = current_call().last_event_id
        if last is not None and not EVENT_ID.fullmatch(last):
            raise InvalidParameters((UNKNOWN_EVENT,))
        try:
            found = await self._events.follow_events(
                after=last, type=SHOWN, subject=order_id, account_id=order.account_id
            )
        except InvalidParameters:
            raise InvalidParameters((UNKNOWN_EVENT,)) from None

        async def shown(event: CloudEvent) -> OrderEvent:
            return presentation.order_event(order_id, order.account_id, event)

        return found.each(shown)

    async def list_shipments(
        self,
        *,
        order_id: RecordId | None = None,
        status: ShipmentStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Shipment]:
        """The account's shipments, oldest first."""
        found = await self._accounts.list_shipments(
            current_call().account_id, order_id=order_id, status=status, limit=limit, cursor=cursor
        )
        return Page(tuple(map(presentation.shipment, found.items)), found.next_cursor)

    async def get_shipment(self, shipment_id: RecordId) -> ShipmentDetail:
        """A shipment and its tracking."""
        found = await self._accounts.get_shipment(current_call().account_id, shipment_id)
        return presentation.shipment_detail(found)

    async def list_invoices(
        self, *, status: InvoiceStatus | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Invoice]:
        """The account's invoices, oldest first."""
        found = await self._accounts.list_invoices(current_call().account_id, status=status, limit=limit, cursor=cursor)
        return Page(tuple(map(presentation.invoice, found.items)), found.next_cursor)

    async def get_invoice(self, invoice_id: RecordId) -> InvoiceDetail:
        """An invoice and what is paid of it."""
        found = await self._accounts.get_invoice(current_call().account_id, invoice_id)
        return presentation.invoice_detail(found)

    async def get_account(self) -> Account:
        """The account itself."""
        return presentation.account(await self._accounts.get_profile(current_call().account_id))

    async def request_return(self, goods: NewReturn) -> Return:
        """Ask to send goods of an order back."""
        order = await self._own_order(goods.order_id)
        return returning.shown(await self._returns.create_return(returning.wish(order, goods)))

    async def list_returns(
        self,
        *,
        order_id: RecordId | None = None,
        status: ReturnStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Return]:
        """The account's returns, newest first."""
        found = await self._returns.list_returns(
            account_id=current_call().account_id, order_id=order_id, status=status, limit=limit, cursor=cursor
        )
        return Page(tuple(map(returning.shown, found.items)), found.next_cursor)

    async def get_return(self, return_id: RecordId) -> Return:
        """A return and how far it is."""
        return returning.shown(await self._own_return(return_id))

    async def cancel_return(self, return_id: RecordId) -> Return:
        """Cancel a return of the account."""
        goods = await self._own_return(return_id)  # before anything is changed
        wish = returned.ReturnCancellation(account_id=goods.account_id)
        return returning.shown(await self._returns.cancel_return(return_id, wish))

    async def list_quotes(
        self, *, status: QuoteStatus | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[Quote]:
        """The account's quotes, newest first."""
        found = await self._quotes.list_quotes(
            account_id=current_call().account_id, status=status, limit=limit, cursor=cursor
        )
        return Page(tuple(map(quoting.shown, found.items)), found.next_cursor)

    async def get_quote(self, quote_id: RecordId) -> Quote:
        """A quote and how far it is."""
        return quoting.shown(await self._own_quote(quote_id))

    async def accept_quote(self, quote_id: RecordId, acceptance: QuoteAcceptance) -> Quote:
        """Accept a quote of the account."""
        quote = await self._own_quote(quote_id)  # before anything is changed
        wish = quoting.acceptance(quote.account_id, acceptance)
        return quoting.shown(await self._quotes.accept_quote(quote_id, wish))

    async def decline_quote(self, quote_id: RecordId, refusal: QuoteRefusal) -> Quote:
        """Decline a quote of the account."""
        quote = await self._own_quote(quote_id)
        return quoting.shown(await self._quotes.decline_quote(quote_id, quoting.refusal(quote.account_id, refusal)))

    async def _own_quote(self, quote_id: RecordId) -> quoted.Quote:
        quote = await self._quotes.get_quote(quote_id)
        if quote.account_id != current_call().account_id:
            raise NotFound()
        return quote

    async def _own_return(self, return_id: RecordId) -> returned.Return:
        goods = await self._returns.get_return(return_id)
        if goods.account_id != current_call().account_id:
            raise NotFound()
        return goods

    async def _own_order(self, order_id: RecordId) -> fulfillment.Order:
        order = await self._orders.get_order(order_id)
        if order.account_id != current_call().account_id:
            raise NotFound()
        return order


def _judge(order: NewOrder) -> None:
    """Refuse what no schema can say, each with its place in the body."""
    wrong: list[Violation] = []
    first: dict[Sku, int] = {}
    for index, line in enumerate(order.lines):
        if first.setdefault(line.sku, index) != index:
            detail = f"{line.sku} stands in /lines/{first[line.sku]} already: order it in one line"
            wrong.append(Violation(pointer=f"/lines/{index}/sku", detail=detail))
    if order.payment == "card" and order.card_token is None:
        wrong.append(Violation(pointer="/card_token", detail="is needed to pay by card"))
    if wrong:
        raise InvalidBody(tuple(wrong))
