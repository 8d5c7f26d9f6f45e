"""Quote to cash, version 1: an offer, its acceptance, the order it becomes, and the money for it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, search
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
from system_apis.canonical.refusals import (
    AmountExceeded,
    CurrencyMismatch,
    FourEyes,
    QuantityExceeded,
    QuoteExpired,
    QuoteSuperseded,
    ReferenceTaken,
    Tombstoned,
    UnknownAccount,
    UnknownLink,
    WrongState,
)
from system_apis.canonical.values import AccountId, RecordId

LINK = "Whoever holds the signed link that was sent with a quote may see and answer that one revision of it."
GUESSES = "60/60s"


class QuoteToCashV1(Contract, Protocol, owner="Sales operations"):
    """Makes quotes, turns an accepted one into its order, and follows the invoices until they are paid.

    A quote is accepted for work at once and worked on afterwards: `status` says how far it is. Until the
    customer accepts it can be revised and withdrawn. One quote becomes one order, ever.
    """

    @create(
        "/quotes",
        scope="quote-to-cash.quotes:write",
        accepted=True,
        visible=by("account_id"),
        location="/quotes/{quote_id}",
    )
    async def request_quote(self, quote: NewQuote) -> Quote:
        """Ask for a quote.

        It is priced at the account's terms with the company's rules for discounts, and sent. A discount above the
        limit of whoever asks waits for somebody else's approval. With `Prefer: wait=n` the answer is held until
        the quote is sent, waits for approval, or is rejected, or for n seconds.
        """
        ...

    @read("/quotes/{quote_id}", scope="quote-to-cash.quotes:read", visible=by("account_id"))
    async def get_quote(self, quote_id: RecordId) -> Quote:
        """A quote and how far it is."""
        ...

    @search("/quotes", scope="quote-to-cash.quotes:read", visible=by("account_id"))
    async def list_quotes(
        self,
        *,
        account_id: AccountId | None = None,
        status: QuoteStatus | None = None,
        updated_since: datetime | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Quote]:
        """Quotes, newest first, by account, status or last change."""
        ...

    @action(
        "/quotes/{quote_id}/decide",
        scope="quote-to-cash.approvals:write",
        raises=[WrongState, FourEyes, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def decide_quote(self, quote_id: RecordId, decision: DiscountDecision) -> Quote:
        """Say yes or no to discounts above the limit; not for the one who asked for them."""
        ...

    @action(
        "/quotes/{quote_id}/revise",
        scope="quote-to-cash.quotes:write",
        raises=[WrongState, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def revise_quote(self, quote_id: RecordId, revision: QuoteRevision) -> Quote:
        """Offer something else in the place of a quote that nobody accepted.

        The revision before can no longer be accepted. A quote that has ended, such as by expiry, is not revised:
        ask for a new one.
        """
        ...

    @action(
        "/quotes/{quote_id}/accept",
        scope="quote-to-cash.answers:write",
        raises=[WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def accept_quote(self, quote_id: RecordId, acceptance: QuoteAcceptance) -> Quote:
        """Accept a revision of a quote; it becomes an order by itself.

        The same acceptance again is no second one. Another answer to a quote that was answered is refused as a
        wrong state.
        """
        ...

    @action(
        "/quotes/{quote_id}/decline",
        scope="quote-to-cash.answers:write",
        raises=[WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        visible=by("account_id"),
    )
    async def decline_quote(self, quote_id: RecordId, refusal: QuoteRefusal) -> Quote:
        """Say no to a revision of a quote."""
        ...

    @action(
        "/quotes/{quote_id}/withdraw",
        scope="quote-to-cash.quotes:write",
        raises=[WrongState],
        accepted=True,
        visible=by("account_id"),
    )
    async def withdraw_quote(self, quote_id: RecordId, withdrawal: QuoteWithdrawal) -> Quote:
        """Withdraw a quote that nobody accepted. Asking again changes nothing."""
        ...

    @action(
        "/quote-links/view",
        scope="quote-to-cash.quote-links:read",
        raises=[UnknownLink, QuoteExpired],
        public_because=LINK,
        limit=GUESSES,
        idempotent_because="Reads what a link is for; writes nothing.",
    )
    async def view_linked_quote(self, link: QuoteLink) -> LinkedQuote:
        """What a link offers.

        A token that was not made here is answered like one of a link that never was.
        """
        ...

    @action(
        "/quote-links/accept",
        scope="quote-to-cash.quote-links:write",
        raises=[UnknownLink, WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        public_because=LINK,
        limit=GUESSES,
    )
    async def accept_linked_quote(self, acceptance: LinkAcceptance) -> LinkedQuote:
        """Accept what a link offers. It is used up by the first answer."""
        ...

    @action(
        "/quote-links/decline",
        scope="quote-to-cash.quote-links:write",
        raises=[UnknownLink, WrongState, QuoteExpired, QuoteSuperseded],
        accepted=True,
        public_because=LINK,
        limit=GUESSES,
    )
    async def decline_linked_quote(self, refusal: LinkRefusal) -> LinkedQuote:
        """Say no to what a link offers. It is used up by the first answer."""
        ...

    @create(
        "/bank-payments",
        scope="quote-to-cash.bank-payments:write",
        raises=[UnknownAccount, CurrencyMismatch, AmountExceeded, ReferenceTaken, Tombstoned],
        visible=by("account_id"),
    )
    async def receive_payment(self, payment: NewBankPayment) -> BankPayment:
        """Post money that came from an account, and go on with the quotes that waited for it.

        It is put to invoices as stated, or to those that are due first; the rest stays to the account's credit.
        """
        ...

    @create(
        "/quotes/{quote_id}/credits",
        scope="quote-to-cash.credits:write",
        raises=[WrongState, AmountExceeded, QuantityExceeded, CurrencyMismatch, ReferenceTaken, Tombstoned],
        visible=by("account_id"),
    )
    async def credit_invoice(self, quote_id: RecordId, credit: NewCredit) -> Credit:
        """Credit an invoice of the quote's order, never above what is left of it."""
        ...

    @read("/quotes/{quote_id}/timeline", scope="quote-to-cash.quotes:read", visible=by("account_id"))
    async def get_timeline(self, quote_id: RecordId) -> Timeline:
        """What was done for a quote, oldest first."""
        ...
