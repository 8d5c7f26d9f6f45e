"""Order to fulfillment as a table: what is done, how it is undone, when it applies, what it leads to."""

from __future__ import annotations

from types import MappingProxyType

from process_apis.flow.table import PEOPLE, Flow, Step, Together
from process_apis.order_to_fulfillment import announcements as tell
from process_apis.order_to_fulfillment.amendments import amended, renewed
from process_apis.order_to_fulfillment.book import OrderBook
from process_apis.order_to_fulfillment.documents import came_by_channel, channel_waits, is_paid, owes, pays_by_card
from process_apis.order_to_fulfillment.parts import gives_up, goes_in_parts, goes_together, has_left
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps import OrderSteps as Do
from process_apis.order_to_fulfillment.steps.approval import DECISION, needs_approval
from process_apis.order_to_fulfillment.steps.cancelling import CANCEL
from process_apis.order_to_fulfillment.steps.stock import STOCK, asks_nobody, asks_people

BOOK = OrderBook()
MOVED = "shipment"
"""The signal that something happened to a shipment of the order."""
TROUBLE = MappingProxyType(
    {
        "insufficient-stock": "stock",
        "quantity-exceeded": "invoices",
        "payment-declined": "payments",
        "amount-exceeded": "payments",
    }
)
"""Who settles what goes wrong with a part of an order."""


def is_billed(order: OrderRecord) -> bool:
    """Whether it goes together, has left, and is paid at once."""
    return has_left(order) and is_paid(order)


ORDER_TO_FULFILLMENT: Flow[OrderRecord] = Flow(
    name="order_to_fulfillment",
    api_id="order_to_fulfillment.v1",
    book=BOOK,
    steps=(
        Together(
            Step(name="check_channel_order", do=Do.check_channel_order, only_reads=True, when=came_by_channel),
            Step(name="check_account", do=Do.check_account, only_reads=True),
            Step(name="check_terms", do=Do.check_terms, only_reads=True),
        ),
        Step(name="price", do=Do.price, only_reads=True),
        Step(name="check_credit", do=Do.check_credit, only_reads=True, when=owes, publishes=tell.credit_approved),
        Step(
            name="reserve_stock",
            do=Do.reserve_stock,
            undo=Do.release_stock,
            when=asks_nobody,
            status="allocated",
            publishes=tell.allocated,
        ),
        Step(
            name="reserve_or_ask",
            do=Do.reserve_stock,
            undo=Do.release_stock,
            when=asks_people,
            status="allocated",
            queue="stock",
            retry=PEOPLE,
            skippable=False,
            publishes=tell.allocated,
        ),
        Step(name="approve", do=Do.approve, only_reads=True, when=needs_approval, listens=(DECISION,)),
        Step(name="authorise_payment", do=Do.authorise_payment, undo=Do.void_payment, when=pays_by_card),
        Step(name="post_order", do=Do.post_order, undo=Do.cancel_order, status="confirmed", publishes=tell.confirmed),
        Step(name="ship", do=Do.ship, undo=Do.recall, pivot=True),
        Step(
            name="await_dispatch",
            do=Do.await_dispatch,
            only_reads=True,
            when=goes_together,
            status="shipped",
            listens=(CANCEL, MOVED),
            queue="stock",
            skippable=False,
        ),
        Step(name="issue_goods", do=Do.issue_goods, when=has_left, queue="stock"),
        Step(
            name="invoice", do=Do.invoice, when=has_left, status="invoiced", queue="invoices", publishes=tell.invoiced
        ),
        Step(name="capture", do=Do.capture, when=is_billed, queue="payments", publishes=tell.captured),
        Step(
            name="fulfil",
            do=Do.fulfil,
            when=goes_in_parts,
            listens=(CANCEL, MOVED, STOCK),
            skippable=False,
            queues=TROUBLE,
        ),
        Step(name="settle_rest", do=Do.settle_rest, when=gives_up),
        Step(name="write_back", do=Do.write_back, status="completed"),
    ),
    last=Step(name="write_back_end", do=Do.write_back_end, when=channel_waits),
    publishes=tell.ended,
    news=tell.news,
    amend=amended,
    renew=renewed,
)
"""Before ``ship`` a refusal undoes everything; after it the order only goes on.

An order that leaves from one place at one time has a row for each step; one that leaves in parts has ``fulfil``
for all of them. ``settle_rest`` is for what is not sent any more.
"""
