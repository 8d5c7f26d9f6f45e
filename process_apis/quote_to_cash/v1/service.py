"""Quote to cash v1: accepts quotes for the flow, hands on what people say about them, and shows how far they are.

A quote's id is derived from who asked for it and under which key, so the same key never makes two. What people
say (a decision, an answer) is kept as a signal of the flow in one transaction, once for each revision: of two
answers the first one counts, by whichever way it came. A database that is away is answered with ``unavailable``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from governance.call import Clock, current_call, derive_key
from governance.contract import CursorCodec, NotFound, Page, Violation
from governance.contract.refusals import InvalidBody
from process_apis.correspondence import NEEDS as CORRESPONDENCE
from process_apis.correspondence import Correspondence
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import timeline
from process_apis.flow.timeline import instant, microseconds
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from process_apis.quote_to_cash.book import QuoteFilter
from process_apis.quote_to_cash.desk import PATIENCE_S, QuoteDesk, refuse_overtaken, refuse_superseded
from process_apis.quote_to_cash.flow import BOOK, QUOTE_TO_CASH
from process_apis.quote_to_cash.links import QuoteLinks
from process_apis.quote_to_cash.migration import MIGRATIONS
from process_apis.quote_to_cash.record import OPEN, Answer, Decision, QuoteRecord, Revision
from process_apis.quote_to_cash.settings import QuoteSettings
from process_apis.quote_to_cash.signals import DECISION, MONEY
from process_apis.quote_to_cash.steps import QuoteSteps
from process_apis.quote_to_cash.v1.contract import QuoteToCashV1
from process_apis.quote_to_cash.v1.model import (
    BankPayment,
    Credit,
    DiscountDecision,
    LinkAcceptance,
    LinkedQuote,
    LinkRefusal,
    NewBankPayment,
    NewCredit,
    NewQuote,
    Quote,
    QuoteAcceptance,
    QuoteLink,
    QuoteRefusal,
    QuoteRevision,
    QuoteStatus,
    QuoteWithdrawal,
    Timeline,
)
from process_apis.quote_to_cash.v1.showing import (
    credit_of,
    entry_of,
    erp_credit,
    erp_payment,
    lines_of,
    linked,
    payment_of,
    shown,
    waits_for_approval,
)
from system_apis.canonical.refusals import FourEyes, WrongState
from system_apis.canonical.values import AccountId, RecordId
from system_apis.crm.v1.contract import CrmV1
from system_apis.erp.v1.contract import ErpV1
from system_apis.notifications.v1.contract import NotificationsV1

LIST = "quote_to_cash.v1.list_quotes"


class QuoteToCash(QuoteToCashV1):
    """Quotes over the systems of record and order to fulfillment."""

    needs = (
        CrmV1.get_account,
        CrmV1.get_subtree,
        CrmV1.create_quote,
        CrmV1.revise_quote,
        CrmV1.send_quote,
        CrmV1.accept_quote,
        CrmV1.decline_quote,
        CrmV1.mark_quote_ordered,
        CrmV1.move_opportunity,
        CrmV1.create_activity,
        ErpV1.price_basket,
        ErpV1.list_invoices,
        ErpV1.get_invoice,
        ErpV1.hold_account,
        ErpV1.record_payment,
        ErpV1.post_credit_memo,
        OrderToFulfillmentV1.place_agreed_order,
        OrderToFulfillmentV1.get_order,
        *(one for one in CORRESPONDENCE if one is not CrmV1.get_account),
    )

    def __init__(
        self,
        erp: ErpV1,
        crm: CrmV1,
        orders: OrderToFulfillmentV1,
        notifications: NotificationsV1,
        links: QuoteLinks,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
        settings: QuoteSettings | None = None,
    ) -> None:
        self._erp = erp
        self._crm = crm
        self._desk = QuoteDesk(flows, clock, links)
        self._flows = flows
        self._clock = clock
        self._cursors = cursors
        self._settings = settings or QuoteSettings()
        flows.adopt(MIGRATIONS)
        letters = Correspondence(crm, notifications)
        flows.register(QUOTE_TO_CASH, QuoteSteps(erp, crm, orders, letters, links, self._settings))

    async def request_quote(self, quote: NewQuote) -> Quote:
        """Ask for a quote."""
        call, now = current_call(), self._clock.now()
        user = call.on_behalf_of
        quote_id = "quo-" + derive_key("quote", user.client_id, quote.account_id, call.key).lower()
        first = QuoteRecord(
            quote_id=quote_id,
            account_id=quote.account_id,
            status="requested",
            stage="requested",
            lines=lines_of(quote.lines),
            valid_until=self._last_day(quote.valid_until),
            requested_by=user.subject,
            requested_at=now,
            updated_at=now,
            note=quote.note,
            opportunity_id=quote.opportunity_id,
            ship_to=quote.ship_to,
        )
        record = await self._flows.accept(QUOTE_TO_CASH, quote_id, quote.account_id, _fingerprint(quote), first, call)
        if call.wait_s > 0:
            record = await self._desk.until(quote_id, _is_offered, call.wait_s)
        return shown(record)

    async def get_quote(self, quote_id: RecordId) -> Quote:
        """A quote and how far it is."""
        return shown(await self._desk.quote(quote_id))

    async def list_quotes(
        self,
        *,
        account_id: AccountId | None = None,
        status: QuoteStatus | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Quote]:
        """Quotes, newest first."""
        account_ids = await self._visible(account_id)
        filters = (account_ids, status, updated_since and updated_since.isoformat())
        last = self._cursors.decode(LIST, filters, cursor)
        after = (int(last[0]), str(last[1])) if last else None
        which = QuoteFilter(account_ids=account_ids, status=status, updated_since=updated_since)
        found = await self._flows.read(lambda connection: BOOK.find(connection, which, after, limit + 1))
        return self._cursors.page(LIST, filters, tuple(map(shown, found)), limit, _place_in_list)

    async def decide_quote(self, quote_id: RecordId, decision: DiscountDecision) -> Quote:
        """Say yes or no to discounts above the limit."""
        quote = await self._desk.own(quote_id, decision.account_id)
        by = current_call().on_behalf_of.subject
        refuse_superseded(quote, decision.revision)
        if not waits_for_approval(quote):
            raise WrongState(record_id=quote_id, state=quote.stage, needs="approve")
        if by in quote.authors:
            raise FourEyes(record_id=quote_id, detail="Whoever asked for the discount can't approve it.")
        said = Decision(revision=decision.revision, approved=decision.approved, by=by, reason=decision.reason)
        source_id = f"{DECISION}:{decision.revision}"
        if not await self._flows.signal(quote_id, DECISION, msgspec.json.encode(said), source_id):
            raise WrongState(record_id=quote_id, state="decided", needs="approve")
        return await self._answered(quote_id, lambda now: now.status != "requested")

    async def revise_quote(self, quote_id: RecordId, revision: QuoteRevision) -> Quote:
        """Offer something else in the place of a quote that nobody accepted."""
        quote = await self._desk.own(quote_id, revision.account_id)
        call = current_call()
        source_id = derive_key("revision", quote_id, call.key)
        if quote.revision_key == source_id:
            return shown(quote)
        wish = Revision(
            key=source_id,
            lines=lines_of(revision.lines),
            by=call.on_behalf_of.subject,
            at=self._clock.now(),
            valid_until=self._last_day(revision.valid_until),
        )
        refuse_superseded(quote, revision.revision)
        judge = partial(refuse_overtaken, quote_id=quote_id, revision=revision.revision)
        body = msgspec.json.encode(wish)
        if quote.answer is not None or not await self._flows.amend(quote_id, body, source_id, judge):
            quote = await self._desk.quote(quote_id)
            raise WrongState(record_id=quote_id, state=quote.status, needs="requested or sent")
        return await self._answered(quote_id, lambda now: now.revision > revision.revision and _is_offered(now))

    async def accept_quote(self, quote_id: RecordId, acceptance: QuoteAcceptance) -> Quote:
        """Accept a revision of a quote."""
        quote = await self._desk.own(quote_id, acceptance.account_id)
        answer = Answer(
            revision=acceptance.revision,
            accepted=True,
            by=current_call().on_behalf_of.subject,
            way="account",
            at=self._clock.now(),
            key=self._answer_key(quote_id),
            reference=acceptance.reference,
            payment=acceptance.payment,
            card_token=acceptance.card_token,
        )
        return shown(await self._desk.answer(quote, answer, current_call().wait_s))

    async def decline_quote(self, quote_id: RecordId, refusal: QuoteRefusal) -> Quote:
        """Say no to a revision of a quote."""
        quote = await self._desk.own(quote_id, refusal.account_id)
        answer = Answer(
            revision=refusal.revision,
            accepted=False,
            by=current_call().on_behalf_of.subject,
            way="account",
            at=self._clock.now(),
            key=self._answer_key(quote_id),
            reason=refusal.reason,
        )
        return shown(await self._desk.answer(quote, answer, current_call().wait_s))

    async def withdraw_quote(self, quote_id: RecordId, withdrawal: QuoteWithdrawal) -> Quote:
        """Withdraw a quote that nobody accepted."""
        quote = await self._desk.own(quote_id, withdrawal.account_id)
        if quote.status != "cancelled" and not await self._flows.cancel(quote_id, withdrawal.reason):
            quote = await self._desk.quote(quote_id)
            if quote.status != "cancelled":
                raise WrongState(record_id=quote_id, state=quote.status, needs="requested or sent")
        return await self._answered(quote_id, lambda now: now.status not in OPEN)

    async def view_linked_quote(self, link: QuoteLink) -> LinkedQuote:
        """What a link offers."""
        quote, revision = await self._desk.linked(link.token)
        return linked(quote, revision)

    async def accept_linked_quote(self, acceptance: LinkAcceptance) -> LinkedQuote:
        """Accept what a link offers."""
        quote, revision = await self._desk.linked(acceptance.token)
        answer = Answer(
            revision=revision,
            accepted=True,
            by="the holder of the link",
            way="link",
            at=self._clock.now(),
            key=self._answer_key(quote.quote_id),
            reference=acceptance.reference,
        )
        return linked(await self._desk.answer(quote, answer, current_call().wait_s), revision)

    async def decline_linked_quote(self, refusal: LinkRefusal) -> LinkedQuote:
        """Say no to what a link offers."""
        quote, revision = await self._desk.linked(refusal.token)
        answer = Answer(
            revision=revision,
            accepted=False,
            by="the holder of the link",
            way="link",
            at=self._clock.now(),
            key=self._answer_key(quote.quote_id),
            reason=refusal.reason,
        )
        return linked(await self._desk.answer(quote, answer, current_call().wait_s), revision)

    async def receive_payment(self, payment: NewBankPayment) -> BankPayment:
        """Post money that came from an account, and go on with the quotes that waited for it."""
        posted = await self._erp.record_payment(erp_payment(payment))
        await self._desk.look_for_money(payment.account_id, posted.received_payment_id)
        return payment_of(posted)

    async def credit_invoice(self, quote_id: RecordId, credit: NewCredit) -> Credit:
        """Credit an invoice of the quote's order."""
        quote = await self._desk.own(quote_id, credit.account_id)
        if quote.sales_order_id is None:
            raise WrongState(record_id=quote_id, state=quote.status, needs="invoiced")
        invoice = await self._erp.get_invoice(credit.invoice_id)
        if invoice.sales_order_id != quote.sales_order_id:
            raise NotFound
        posted = await self._erp.post_credit_memo(erp_credit(credit))
        await self._flows.signal(quote_id, MONEY, b"", posted.credit_memo_id)
        return credit_of(quote_id, posted)

    async def get_timeline(self, quote_id: RecordId) -> Timeline:
        """What was done for a quote, oldest first."""
        quote = await self._desk.quote(quote_id)
        query = sa.select(timeline).where(timeline.c.flow_id == quote_id).order_by(timeline.c.position)
        rows = await self._flows.read(lambda connection: connection.execute(query).all())
        entries = tuple(entry_of(row, instant(row.at_us)) for row in rows)
        return Timeline(quote_id=quote_id, account_id=quote.account_id, entries=entries)

    async def _answered(self, quote_id: str, good: Callable[[QuoteRecord], bool]) -> Quote:
        return shown(await self._desk.until(quote_id, good, max(current_call().wait_s, PATIENCE_S)))

    async def _visible(self, account_id: str | None) -> tuple[str, ...] | None:
        if account_id is not None:
            return (account_id,)
        accounts = current_call().on_behalf_of.accounts
        if accounts.reach == "all":
            return None
        if accounts.reach == "own":
            return accounts.ids
        trees = [await self._crm.get_subtree(root) for root in accounts.ids]
        return tuple(sorted({account for tree in trees for account in tree.account_ids}))

    def _last_day(self, wanted: date | None) -> date:
        today = self._clock.now().date()
        if wanted is None:
            return today + timedelta(self._settings.valid_days)
        if wanted < today:
            raise InvalidBody((Violation(pointer="/valid_until", detail="must not be over"),))
        return wanted

    def _answer_key(self, quote_id: str) -> str:
        call = current_call()
        return derive_key("answer", call.on_behalf_of.client_id, quote_id, call.operation_id, call.key)


def _is_offered(quote: QuoteRecord) -> bool:
    return quote.status != "requested" or waits_for_approval(quote)


def _fingerprint(quote: Struct) -> str:
    return hashlib.sha256(msgspec.json.encode(quote, order="deterministic")).hexdigest()


def _place_in_list(quote: Quote) -> tuple[int, str]:
    return microseconds(quote.requested_at), quote.quote_id
