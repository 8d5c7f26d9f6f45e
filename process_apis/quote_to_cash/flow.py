"""Quote to cash as a table: what is done, when it applies, what it leads to, and who settles what is stuck."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from process_apis.flow.run import Run
from process_apis.flow.table import Flow, Step
from process_apis.quote_to_cash import announcements as tell
from process_apis.quote_to_cash.book import QuoteBook
from process_apis.quote_to_cash.dunning import DUNNING, StageNumber
from process_apis.quote_to_cash.record import QuoteRecord
from process_apis.quote_to_cash.signals import ANSWER, DECISION, MONEY, correction_in, revision_in
from process_apis.quote_to_cash.steps import QuoteSteps as Do

BOOK = QuoteBook()
Doing = Callable[[Any, Run[QuoteRecord]], Awaitable[QuoteRecord]]


def needs_approval(quote: QuoteRecord) -> bool:
    """Whether its discounts are above the sales person's limit."""
    return quote.needs_approval


def has_invoices(quote: QuoteRecord) -> bool:
    """Whether the order was invoiced, all of it or in part."""
    return quote.billable


def was_not_delivered(quote: QuoteRecord) -> bool:
    """Whether the order ended with nothing invoiced."""
    return not quote.billable


def owes(quote: QuoteRecord) -> bool:
    """Whether an invoice is neither paid nor credited."""
    return quote.billable and not quote.settled


def revised(quote: QuoteRecord, wish: bytes) -> QuoteRecord:
    """The quote as its next revision begins."""
    revision = revision_in(wish)
    return replace(
        quote,
        revision=quote.revision + 1,
        revision_key=revision.key,
        lines=revision.lines,
        valid_until=revision.valid_until,
        requested_by=revision.by,
        asked_by=quote.authors,
        status="requested",
        updated_at=revision.at,
        net=None,
        tax=None,
        total=None,
        over_limit=(),
        decision=None,
        answer=None,
    )


def renewed(quote: QuoteRecord, quote_id: str, correction: bytes) -> QuoteRecord:
    """A quote of this id with the lines of one that ended; CRM draws up another one."""
    wish = correction_in(correction or b"{}")
    return QuoteRecord(
        quote_id=quote_id,
        account_id=quote.account_id,
        status="requested",
        stage="requested",
        lines=wish.lines or quote.lines,
        valid_until=wish.valid_until or quote.valid_until,
        requested_by=(wish.by if wish.lines else "") or quote.requested_by,
        asked_by=tuple(sorted({*quote.authors, wish.by} - {""})),
        requested_at=quote.requested_at,
        updated_at=quote.updated_at,
        note=quote.note,
        opportunity_id=quote.opportunity_id,
        ship_to=quote.ship_to,
    )


def _awaited(number: StageNumber) -> Doing:
    def do(steps: Do, run: Run[QuoteRecord]) -> Awaitable[QuoteRecord]:
        return steps.await_payment(run, number)

    return do


def _reminded(number: StageNumber) -> Doing:
    def do(steps: Do, run: Run[QuoteRecord]) -> Awaitable[QuoteRecord]:
        return steps.remind(run, number)

    return do


def _stage(number: StageNumber) -> tuple[Step[QuoteRecord], ...]:
    return (
        Step(
            name=f"await_payment_{number}",
            do=_awaited(number),
            when=owes,
            queue="payments",
            listens=(MONEY,),
            skippable=False,
        ),
        Step(name=f"remind_{number}", do=_reminded(number), when=owes, queue="payments", publishes=tell.overdue),
    )


QUOTE_TO_CASH: Flow[QuoteRecord] = Flow(
    name="quote_to_cash",
    api_id="quote_to_cash.v1",
    book=BOOK,
    status="requested",
    steps=(
        Step(name="price", do=Do.price, queue="data_quality"),
        Step(name="approve", do=Do.approve, when=needs_approval, listens=(DECISION,), queue="credit"),
        Step(name="offer", do=Do.offer, publishes=tell.revised),
        Step(name="send", do=Do.send, status="sent", publishes=tell.sent),
        Step(name="await_answer", do=Do.await_answer, listens=(ANSWER,)),
        Step(name="accept", do=Do.accept, pivot=True, status="accepted", publishes=tell.accepted),
        Step(name="place_order", do=Do.place_order, status="ordered", publishes=tell.converted, skippable=False),
        Step(name="note_order", do=Do.note_order),
        Step(name="await_order", do=Do.await_order, skippable=False),
        Step(name="tell_unfulfilled", do=Do.tell_unfulfilled, when=was_not_delivered, status="unfulfilled"),
        Step(name="note_invoices", do=Do.note_invoices, when=has_invoices, status="invoiced", queue="invoices"),
        *(step for stage in DUNNING for step in _stage(stage.number)),
        Step(name="await_last_payment", do=Do.await_last_payment, when=owes, queue="payments", listens=(MONEY,)),
        Step(name="hold_account", do=Do.hold_account, when=owes, queue="payments"),
        Step(name="collect", do=Do.collect, when=owes, queue="payments", listens=(MONEY,)),
        Step(name="close", do=Do.close, when=has_invoices, status="closed"),
    ),
    last=Step(name="tell_end", do=Do.tell_end),
    publishes=tell.ended,
    amend=revised,
    renew=renewed,
)
"""Until the customer accepts, a quote can be revised and withdrawn; after it the order's own process decides."""
