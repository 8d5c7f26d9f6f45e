"""The steps from the order's invoices to their money: wait, remind, put on hold, close.

What is open is asked of the ERP each time; nothing here counts money. A reminder is sent for each invoice
that is still open then; the days are counted from the one that is due first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.quote_to_cash.documents import billed
from process_apis.quote_to_cash.dunning import DunningStage, StageNumber, falls_on
from process_apis.quote_to_cash.record import Billed, QuoteRecord
from process_apis.quote_to_cash.steps.systems import QuoteRun, Systems
from system_apis.canonical.refusals import InvoiceUnpaid
from system_apis.erp.v1.model import AccountHold
from system_apis.notifications.v1.model import PaymentReminder

MOST = 200
"""More invoices than this an order does not have."""
Due = Callable[[QuoteRecord], datetime]


class Collecting(Systems):
    """The invoices of a quote's order, and the money for them."""

    async def note_invoices(self, run: QuoteRun) -> QuoteRecord:
        """It is known what the customer owes, and until when."""
        quote = await self._looked(run.state)
        run.say(", ".join(f"{one.invoice_id} {one.open} due {one.due_on}" for one in quote.invoices))
        return quote

    async def await_payment(self, run: QuoteRun, number: StageNumber) -> QuoteRecord:
        """Everything is paid or credited, or it is time for a reminder."""
        stage = self._stage(number)
        return await self._until(run, lambda quote: falls_on(_first_due(quote), stage.after_days))

    async def remind(self, run: QuoteRun, number: StageNumber) -> QuoteRecord:
        """The customer is reminded of each invoice that is open, and the sales person knows."""
        quote, step, stage = run.state, run.step, self._stage(number)
        pay_by = run.clock.now().date() + timedelta(stage.pay_within_days)
        for one in quote.invoices:
            if one.status != "open":
                continue
            with run.at(f"{step}:{one.invoice_id}"):
                content = PaymentReminder(
                    invoice_id=one.invoice_id, stage=number, due=one.open, due_on=one.due_on, pay_by=pay_by
                )
                await self._letters.tell(run, quote.account_id, content, role="finance")
                summary = f"{one.invoice_id}: {one.open} due on {one.due_on}, {stage.name} sent."
                await self._tell_sales(run, "invoice_overdue", summary)
        return replace(quote, reminders=number)

    async def await_last_payment(self, run: QuoteRun) -> QuoteRecord:
        """Everything is paid or credited, or the time of the last reminder is over."""
        days = self._settings.dunning[-1].after_days + self._settings.hold_after_days
        return await self._until(run, lambda quote: falls_on(_first_due(quote), days))

    async def hold_account(self, run: QuoteRun) -> QuoteRecord:
        """The account gets nothing more on account until finance says so."""
        quote = run.state
        await self._erp.hold_account(quote.account_id, AccountHold(on_hold=True))
        open_ones = ", ".join(one.invoice_id for one in quote.invoices if one.status == "open")
        await self._tell_sales(run, "account_on_hold", f"On hold: {open_ones} unpaid after the last reminder.")
        return replace(quote, account_held=True)

    async def collect(self, run: QuoteRun) -> QuoteRecord:
        """Everything is paid or credited after all; until then it is for people to see to."""
        quote = await self._looked(run.state)
        for one in quote.invoices:
            if one.status == "open":
                raise InvoiceUnpaid(
                    invoice_id=one.invoice_id, open=one.open, detail=f"{one.open} of {one.invoice_id} is unpaid."
                )
        return quote

    async def close(self, run: QuoteRun) -> QuoteRecord:
        """The sales person knows that order and money are done."""
        quote = run.state
        credited = [one.invoice_id for one in quote.invoices if one.status == "credited"]
        how = f"; credited: {', '.join(credited)}" if credited else ""
        await self._tell_sales(run, "quote_closed", f"Quote {quote.quote_id} is delivered and settled{how}.")
        return quote

    async def _until(self, run: QuoteRun, due: Due) -> QuoteRecord:
        quote = await self._looked(run.state)
        now = run.clock.now()
        if quote.settled:
            return quote
        due_at = due(quote)
        if now >= due_at:
            return quote
        raise NotYet(due_at=min(due_at, now + timedelta(seconds=self._settings.look_s)))

    async def _looked(self, quote: QuoteRecord) -> QuoteRecord:
        found = await self._erp.list_invoices(
            account_id=quote.account_id, sales_order_id=quote.sales_order_id, limit=MOST
        )
        invoices = tuple(map(billed, found.items))
        return replace(quote, invoices=invoices, settled=all(one.status != "open" for one in invoices))

    def _stage(self, number: StageNumber) -> DunningStage:
        return self._settings.dunning[number - 1]


def _first_due(quote: QuoteRecord) -> date:
    return min(one.due_on for one in _open(quote))


def _open(quote: QuoteRecord) -> list[Billed]:
    return [one for one in quote.invoices if one.status == "open"]
