"""The steps up to the customer's answer: price, approve, draw up, send, wait."""

from __future__ import annotations

from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.flow.table import NotYet
from process_apis.quote_to_cash.documents import basket, crm_quote, crm_revision, message_lines, priced
from process_apis.quote_to_cash.record import Line, QuoteRecord
from process_apis.quote_to_cash.rules import Granted, granted
from process_apis.quote_to_cash.signals import ANSWER, DECISION, answer_in, decision_in
from process_apis.quote_to_cash.steps.systems import QuoteRun, Systems
from system_apis.canonical.entities import Account
from system_apis.canonical.refusals import (
    AccountOnHold,
    NotApproved,
    QuoteDeclined,
    QuoteExpired,
    UnknownAccount,
    WrongState,
)
from system_apis.crm.v1.model import ForAccount
from system_apis.erp.v1.model import PricedLine
from system_apis.notifications.v1.model import QuoteSent


class Offering(Systems):
    """A quote from the wish for it to the answer to it."""

    async def price(self, run: QuoteRun) -> QuoteRecord:
        """Every line has its price and its discount, and it is known whether somebody has to approve them."""
        quote = run.state
        account = await self._account(quote)
        own = await self._erp.price_basket(quote.account_id, basket(quote))
        earned_bp = self._settings.discounts.earned_bp(account.segment, own.net.amount_minor)
        discounts = [self._granted(quote, earned_bp, line, at) for line, at in zip(quote.lines, own.lines, strict=True)]
        agreed = [one.discount_bp for one in discounts]
        found = await self._erp.price_basket(quote.account_id, basket(quote, agreed))
        run.say(f"{found.net} net, {found.total} with tax")
        limit_bp = self._settings.discounts.limit_of(quote.requested_by)
        over = tuple(
            f"{line.sku}: {one.discount_bp / 100:g} % is above the limit of {limit_bp / 100:g} %."
            for line, one in zip(quote.lines, discounts, strict=True)
            if one.over_limit
        )
        if over:
            await self._tell_sales(run, "quote_needs_approval", f"Quote {quote.quote_id}: {' '.join(over)}")
        return replace(priced(quote, found), over_limit=over)

    async def approve(self, run: QuoteRun) -> QuoteRecord:
        """Somebody else says yes to discounts above the limit."""
        quote = run.state
        told = run.signal(DECISION)
        decision = decision_in(told) if told is not None else None
        if decision is None or decision.revision != quote.revision:
            self._refuse_expired(run)
            raise NotYet(due_at=quote.expires_at)
        run.note(run.step, "decide", "approved" if decision.approved else "declined", f"by {decision.by}")
        if not decision.approved:
            raise NotApproved(record_id=quote.quote_id, detail=decision.reason)
        return replace(quote, decision=decision)

    async def offer(self, run: QuoteRun) -> QuoteRecord:
        """CRM has the quote, or its new revision."""
        quote = run.state
        _refuse_unapproved(quote)
        if quote.crm_quote_id is None:
            made = await self._crm.create_quote(crm_quote(quote))
        else:
            made = await self._crm.revise_quote(quote.crm_quote_id, crm_revision(quote))
        run.say(f"{made.quote_id}, revision {made.revision}")
        return replace(quote, crm_quote_id=made.quote_id)

    async def send(self, run: QuoteRun) -> QuoteRecord:
        """The customer has it, with a link by which to answer."""
        quote = run.state
        _refuse_unapproved(quote)
        try:
            await self._crm.send_quote(quote.crm_quote_id or "", ForAccount(account_id=quote.account_id))
        except WrongState as late:
            if late.state == "expired":  # its last day ended while it was drawn up
                raise self._expired(quote) from None
            raise
        content = QuoteSent(
            quote_id=quote.crm_quote_id or quote.quote_id,
            total=quote.total_offered,
            valid_until=quote.valid_until,
            link=self._links.link(quote.quote_id, quote.revision, quote.expires_at),
            lines=message_lines(quote),
        )
        await self._letters.tell(run, quote.account_id, content)
        return quote

    async def await_answer(self, run: QuoteRun) -> QuoteRecord:
        """The customer has said yes or no to this revision, or its time is over."""
        quote = run.state
        told = run.signal(ANSWER)
        answer = answer_in(told) if told is not None else None
        if answer is None or answer.revision != quote.revision:
            self._refuse_expired(run)
            raise NotYet(due_at=quote.expires_at)
        said = "accepted" if answer.accepted else "declined"
        run.note(run.step, "answer", said, f"by {answer.by} by {answer.way}")
        if not answer.accepted:
            raise QuoteDeclined(quote_id=quote.quote_id, detail=answer.reason)
        return replace(quote, answer=answer)

    async def accept(self, run: QuoteRun) -> QuoteRecord:
        """It is agreed: from here on there is no way back."""
        quote = run.state
        _refuse_unapproved(quote)
        if quote.answer is None:
            raise WrongState(record_id=quote.quote_id, state="unanswered", needs="accepted")
        await self._crm.accept_quote(quote.crm_quote_id or "", ForAccount(account_id=quote.account_id))
        return quote

    async def tell_end(self, run: QuoteRun) -> QuoteRecord:
        """CRM and the sales person know that nothing comes of it, and why."""
        quote = run.state
        if quote.status == "declined" and quote.crm_quote_id is not None:
            await self._crm.decline_quote(quote.crm_quote_id, ForAccount(account_id=quote.account_id))
        reason = f": {quote.end_reason}" if quote.end_reason else "."
        await self._tell_sales(run, f"quote_{quote.status}", f"Quote {quote.quote_id} {quote.status}{reason}")
        return quote

    async def _account(self, quote: QuoteRecord) -> Account:
        try:
            account = await self._crm.get_account(quote.account_id)
        except NotFound:
            raise UnknownAccount(account_id=quote.account_id) from None
        if account.status != "active":
            raise AccountOnHold(account_id=quote.account_id, detail=f"The account is {account.status}.")
        return account

    def _granted(self, quote: QuoteRecord, earned_bp: int, line: Line, at: PricedLine) -> Granted:
        rules = self._settings.discounts
        return granted(rules, quote.requested_by, earned_bp, at.source, at.discount_bp, line.wanted_discount_bp)

    def _refuse_expired(self, run: QuoteRun) -> None:
        if run.clock.now() >= run.state.expires_at:
            raise self._expired(run.state)

    def _expired(self, quote: QuoteRecord) -> QuoteExpired:
        return QuoteExpired(valid_until=quote.valid_until, detail=f"It was valid until {quote.valid_until}.")


def _refuse_unapproved(quote: QuoteRecord) -> None:
    """Whoever begins a quote again in the middle can't leave out its approval."""
    if quote.needs_approval and quote.decision is None:
        raise WrongState(record_id=quote.quote_id, state="unapproved", needs="approved")
