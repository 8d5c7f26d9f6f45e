"""The steps from an accepted quote to its order and the order's end."""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.quote_to_cash.documents import agreed_order
from process_apis.quote_to_cash.record import QuoteRecord
from process_apis.quote_to_cash.steps.systems import QuoteRun, Systems
from system_apis.canonical.refusals import WrongState
from system_apis.crm.v1.model import OpportunityMove, QuoteOrder

OVER = frozenset({"completed", "rejected", "cancelled"})
"""Statuses in which an order stays for good."""


class Ordering(Systems):
    """A quote and the one order that it becomes."""

    async def place_order(self, run: QuoteRun) -> QuoteRecord:
        """It is an order; the key of this step is the order's, so it can't become two."""
        quote = run.state
        if quote.answer is None:
            raise WrongState(record_id=quote.quote_id, state="unanswered", needs="accepted")
        order = await self._orders.place_agreed_order(agreed_order(quote))
        run.say(order.order_id)
        return replace(quote, order_id=order.order_id, answer=replace(quote.answer, card_token=None))

    async def note_order(self, run: QuoteRun) -> QuoteRecord:
        """CRM ties quote and order together, and the opportunity is won."""
        quote = run.state
        ordered = QuoteOrder(account_id=quote.account_id, order_id=quote.order_id or "")
        await self._crm.mark_quote_ordered(quote.crm_quote_id or "", ordered)
        if quote.opportunity_id is not None:
            move = OpportunityMove(account_id=quote.account_id, stage="won")
            try:
                await self._crm.move_opportunity(quote.opportunity_id, move)
            except WrongState:  # somebody closed it before; it stands on the timeline
                run.say("was closed already")
        return quote

    async def await_order(self, run: QuoteRun) -> QuoteRecord:
        """The order has ended one way or the other."""
        quote = run.state
        order = await self._orders.get_order(quote.order_id or "")
        run.say(order.status)
        if order.status not in OVER:
            raise NotYet
        return replace(
            quote,
            order_status=order.status,
            order_reason=order.reason,
            sales_order_id=order.sales_order_id,
            billable=bool(order.invoice_ids),
        )

    async def tell_unfulfilled(self, run: QuoteRun) -> QuoteRecord:
        """The sales person knows that the order was not delivered, and talks to the customer."""
        quote = run.state
        reason = f": {quote.order_reason}" if quote.order_reason else "."
        await self._tell_sales(
            run, "quote_unfulfilled", f"Order {quote.order_id} of quote {quote.quote_id} {quote.order_status}{reason}"
        )
        return quote
