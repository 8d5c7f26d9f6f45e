"""A return as a table: what is done, and what undoes it."""

from __future__ import annotations

from process_apis.flow.table import Flow, Step
from process_apis.returns import telling
from process_apis.returns.book import ReturnBook
from process_apis.returns.record import ReturnRecord
from process_apis.returns.renewing import renewed
from process_apis.returns.signals import DECISION, INSPECTION, RECEIPT
from process_apis.returns.steps import ReturnSteps as Do

BOOK = ReturnBook()


def needs_decision(goods: ReturnRecord) -> bool:
    """Whether somebody has to say yes."""
    return goods.needs_decision


def is_credited(goods: ReturnRecord) -> bool:
    """Whether anything that came was accepted."""
    return goods.worth is not None and goods.worth.amount_minor > 0


def has_rest(goods: ReturnRecord) -> bool:
    """Whether not all of it could be credited."""
    return goods.uncredited is not None


def goes_to_card(goods: ReturnRecord) -> bool:
    """Whether the credit goes back to a card."""
    return goods.refund is not None


RETURNS: Flow[ReturnRecord] = Flow(
    name="returns",
    api_id="returns.v1",
    book=BOOK,
    queue="returns",
    status="requested",
    steps=(
        Step(name="check_order", do=Do.check_order),
        Step(name="decide", do=Do.decide, when=needs_decision, listens=(DECISION,)),
        Step(name="authorise", do=Do.authorise, undo=Do.withdraw, status="authorised", publishes=telling.initiated),
        Step(name="tell_authorised", do=Do.tell_authorised, skippable=True),
        Step(name="await_goods", do=Do.await_goods, listens=(RECEIPT,)),
        Step(name="receive", do=Do.receive, pivot=True, status="received", publishes=telling.received),
        Step(name="inspect", do=Do.inspect, only_reads=True, listens=(INSPECTION,), skippable=False),
        Step(name="dispose", do=Do.dispose, status="inspected", skippable=False),
        Step(name="credit", do=Do.credit, when=is_credited, status="credited", queue="invoices", skippable=False),
        Step(name="refund", do=Do.refund, when=goes_to_card, queue="payments"),
        Step(name="see_to_rest", do=Do.see_to_rest, when=has_rest, queue="invoices"),
        Step(name="close", do=Do.close, status="closed", publishes=telling.credited),
    ),
    last=Step(name="tell_end", do=Do.tell_end),
    renew=renewed,
)
"""Before ``receive`` a no, a cancel or goods that never come undo the authorisation; after it the return only goes on."""
