"""What is asked and told about quotes under way, between any version of the API and the flow.

An answer is kept as a signal, once for each revision, so of two answers the first one counts. Whether it came in
time and to the newest revision is judged here for the caller, and again by the flow when it takes it up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import sqlalchemy as sa

from governance.call import Clock
from governance.contract import NotFound
from governance.contract.refusals import SystemUnavailable
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import signals
from process_apis.quote_to_cash.flow import BOOK
from process_apis.quote_to_cash.links import QuoteLinks
from process_apis.quote_to_cash.record import ENDED, Answer, QuoteRecord
from process_apis.quote_to_cash.signals import ANSWER, MONEY
from system_apis.canonical.refusals import QuoteExpired, QuoteSuperseded, UnknownLink, WrongState

PATIENCE_S = 2.0
"""How long the answer to what people say is held for the flow to take it up."""
Good = Callable[[QuoteRecord], bool]


class QuoteDesk:
    """Reads quotes, waits for them, and hands on answers to them."""

    def __init__(self, flows: FlowRuntime, clock: Clock, links: QuoteLinks) -> None:
        self._flows = flows
        self._clock = clock
        self._links = links

    async def quote(self, quote_id: str) -> QuoteRecord:
        """The quote as of its last checkpoint. Raises ``NotFound``."""
        return await self._flows.read(partial(BOOK.load, flow_id=quote_id))

    async def own(self, quote_id: str, account_id: str) -> QuoteRecord:
        """The account's quote. Raises ``NotFound``, for another account's too."""
        quote = await self.quote(quote_id)
        if quote.account_id != account_id:
            raise NotFound
        return quote

    async def linked(self, token: str) -> tuple[QuoteRecord, int]:
        """The quote and revision that a link is for.

        Raises:
            UnknownLink: the token was not made here.
            QuoteExpired: the link's time is over, whatever became of the quote.
        """
        found = self._links.read(token)
        if found is None:
            raise UnknownLink
        quote = await self.quote(found.quote_id)
        if self._clock.now() >= found.expires_at:
            raise _expired(quote)
        return quote, found.revision

    async def until(self, quote_id: str, good: Good, seconds: float) -> QuoteRecord:
        """The quote once it is ``good`` or has ended, or after ``seconds`` as it is then."""
        return await self._flows.until(
            quote_id, partial(self.quote, quote_id), lambda quote: quote.status in ENDED or good(quote), seconds
        )

    async def answer(self, quote: QuoteRecord, answer: Answer, wait_s: float) -> QuoteRecord:
        """Hand on the answer to a revision, and wait for the flow to take it up.

        Raises:
            SystemUnavailable: the first answer was not taken up yet, so that nobody knows whose it is.
            QuoteSuperseded: there is a newer revision.
            QuoteExpired: the last day of the quote is over.
            WrongState: it was answered before, or has ended otherwise.
        """
        if not _said_before(quote, answer):
            await self._tell(quote, answer)
        taken = await self.until(quote.quote_id, _is_answered, max(wait_s, PATIENCE_S))
        refuse_superseded(taken, answer.revision)
        return taken

    async def look_for_money(self, account_id: str, source_id: str) -> None:
        """Have the account's quotes that wait for money look at their invoices."""
        for quote_id in await self._flows.read(lambda connection: BOOK.billed(connection, account_id)):
            await self._flows.signal(quote_id, MONEY, b"", source_id)

    async def _tell(self, quote: QuoteRecord, answer: Answer) -> None:
        refuse_superseded(quote, answer.revision)
        if quote.status == "expired" or (quote.status == "sent" and self._clock.now() >= quote.expires_at):
            raise _expired(quote)
        if quote.status != "sent":
            raise WrongState(record_id=quote.quote_id, state=quote.status, needs="sent")
        body, source_id = msgspec.json.encode(answer), _answer_to(answer.revision)
        if await self._flows.signal(quote.quote_id, ANSWER, body, source_id):
            return
        seen = await self.until(quote.quote_id, _is_answered, PATIENCE_S)
        if not _is_answered(seen):  # whose answer it is shows once the flow takes it up, perhaps in another process
            raise SystemUnavailable(detail="An answer to this quote is being taken up.")
        if not _said_before(seen, answer):
            raise WrongState(record_id=quote.quote_id, state="answered", needs="sent")


def refuse_superseded(quote: QuoteRecord, revision: int) -> None:
    """Refuse what is said about any but the newest revision.

    Raises:
        QuoteSuperseded: there is a newer one, or none of this number yet.
    """
    if revision != quote.revision:
        raise QuoteSuperseded(
            quote_id=quote.quote_id, revision=quote.revision, detail=f"Revision {quote.revision} is the newest."
        )


def refuse_overtaken(connection: sa.Connection, another_waits: bool, quote_id: str, revision: int) -> None:
    """Refuse a wish to revise ``revision`` when somebody else's came first, though it may not be followed yet.

    Raises:
        QuoteSuperseded: of those who saw the same revision, somebody else replaced it.
        WrongState: the customer has answered, though the flow may not have heard of it yet.
    """
    quote = BOOK.load(connection, quote_id)
    refuse_superseded(quote, revision)
    if another_waits:
        raise QuoteSuperseded(
            quote_id=quote_id, revision=revision + 1, detail=f"Somebody else has replaced revision {revision}."
        )
    answered = (signals.c.flow_id == quote_id, signals.c.source_id == _answer_to(revision))
    if connection.execute(sa.select(signals.c.position).where(*answered)).first() is not None:
        raise WrongState(record_id=quote_id, state="answered", needs="requested or sent")


def _answer_to(revision: int) -> str:
    """Under what the first answer to a revision is kept."""
    return f"{ANSWER}:{revision}"


def _expired(quote: QuoteRecord) -> QuoteExpired:
    return QuoteExpired(valid_until=quote.valid_until, detail=f"It was valid until {quote.valid_until}.")


def _is_answered(quote: QuoteRecord) -> bool:
    return quote.status != "sent"


def _said_before(quote: QuoteRecord, answer: Answer) -> bool:
    if answer.accepted:
        return quote.answer is not None and quote.answer.key == answer.key
    return quote.status == "declined" and quote.revision == answer.revision
