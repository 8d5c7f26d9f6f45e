"""Quotes in the embedded CRM.

::

    draft -> sent -> accepted -> ordered
      |        `---> declined
      `- revise makes a draft of a draft, sent or expired quote, one revision on

A draft or sent quote whose last day has passed reads ``expired``; nothing has to run for that. Days
are UTC. One quote becomes one order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date

import msgspec
from msgspec import Struct

from governance.contract.problems import NotFound
from system_apis.canonical.entities import Quote, QuoteLine
from system_apis.canonical.refusals import CurrencyMismatch, WrongState
from system_apis.canonical.values import total
from system_apis.crm.connectors.embedded.cabinet import OPPORTUNITIES, QUOTES, Cabinet, refuse_unknown
from system_apis.crm.drafts import NewQuote, NewQuoteLine, QuoteRevision
from system_apis.embedded import among


class _Ordered(Struct, frozen=True):
    order_id: str


class Quotes(Cabinet):
    """The quotes of the embedded CRM's ``PipelinePort``."""

    async def create_quote(self, quote: NewQuote, reference: str) -> Quote:
        """Draw up a draft."""
        return await self.file.write(lambda connection: self.store_quote(connection, quote, reference))

    async def get_quote(self, quote_id: str) -> Quote:
        """The quote as it reads today."""
        quote = await self.file.read(lambda connection: QUOTES.get(connection, quote_id))
        return _as_of(quote, self._today())

    async def find_quote_by_reference(self, reference: str) -> Quote | None:
        """The quote that ``reference`` made or changed, as it reads today."""
        quote = await self.file.read(lambda connection: QUOTES.find(connection, reference))
        return None if quote is None else _as_of(quote, self._today())

    async def list_quotes(
        self, *, account_ids: tuple[str, ...] | None, status: str | None, after: str | None, limit: int
    ) -> tuple[Quote, ...]:
        """Quotes by number, as they read today."""
        today = self._today()
        reads = f"CASE WHEN status IN ('draft', 'sent') AND valid_until < '{today}' THEN 'expired' ELSE status END"
        matches = (among("account_id", account_ids), (f"{reads} = ?", status))
        quotes = await self.file.read(lambda connection: QUOTES.page(connection, matches, after, limit))
        return tuple(_as_of(quote, today) for quote in quotes)

    async def revise_quote(self, quote_id: str, revision: QuoteRevision, reference: str) -> Quote:
        """Replace the lines."""

        def step(quote: Quote) -> Quote:
            _refuse_unless(quote, "draft", "sent", "expired")
            lines = _priced(revision.lines)
            return msgspec.structs.replace(
                quote,
                status="draft",
                revision=quote.revision + 1,
                lines=lines,
                total_net=total(tuple(line.net for line in lines), lines[0].net.currency),
                valid_until=revision.valid_until,
            )

        return await self._change(quote_id, revision.account_id, reference, "revise", step, revision)

    async def send_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Draft to sent."""

        def step(quote: Quote) -> Quote:
            _refuse_unless(quote, "draft")
            return msgspec.structs.replace(quote, status="sent")

        return await self._change(quote_id, account_id, reference, "send", step)

    async def accept_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Sent to accepted."""

        def step(quote: Quote) -> Quote:
            _refuse_unless(quote, "sent")
            return msgspec.structs.replace(quote, status="accepted")

        return await self._change(quote_id, account_id, reference, "accept", step)

    async def decline_quote(self, quote_id: str, account_id: str, reference: str) -> Quote:
        """Sent to declined."""

        def step(quote: Quote) -> Quote:
            _refuse_unless(quote, "sent")
            return msgspec.structs.replace(quote, status="declined")

        return await self._change(quote_id, account_id, reference, "decline", step)

    async def mark_quote_ordered(self, quote_id: str, account_id: str, order_id: str, reference: str) -> Quote:
        """Accepted to ordered; the same order again is no second one."""

        def step(quote: Quote) -> Quote:
            if quote.status == "ordered" and quote.order_id == order_id:
                return quote
            _refuse_unless(quote, "accepted")
            return msgspec.structs.replace(quote, status="ordered", order_id=order_id)

        return await self._change(quote_id, account_id, reference, "order", step, _Ordered(order_id))

    def store_quote(self, connection: sqlite3.Connection, draft: NewQuote, reference: str) -> Quote:
        """Write the quote, once per reference, inside a transaction."""
        refuse_unknown(connection, draft.account_id)
        if draft.opportunity_id is not None:
            opportunity = OPPORTUNITIES.get(connection, draft.opportunity_id)
            if opportunity.account_id != draft.account_id:
                raise NotFound
        lines = _priced(draft.lines)

        def make(number: str) -> Quote:
            return Quote(
                quote_id=number,
                reference=reference,
                account_id=draft.account_id,
                status="draft",
                revision=1,
                lines=lines,
                total_net=total(tuple(line.net for line in lines), lines[0].net.currency),
                valid_until=draft.valid_until,
                created_at=self.clock.now(),
                opportunity_id=draft.opportunity_id,
            )

        return _as_of(QUOTES.create(connection, reference, draft, make), self._today())

    async def _change(
        self,
        quote_id: str,
        account_id: str,
        reference: str,
        verb: str,
        step: Callable[[Quote], Quote],
        content: Struct | None = None,
    ) -> Quote:
        today = self._today()
        quote = await self.file.write(
            lambda connection: QUOTES.change(
                connection, quote_id, account_id, reference, verb, lambda stored: step(_as_of(stored, today)), content
            )
        )
        return _as_of(quote, today)

    def _today(self) -> date:
        return self.clock.now().date()


def _as_of(quote: Quote, today: date) -> Quote:
    if quote.status in ("draft", "sent") and quote.valid_until < today:
        return msgspec.structs.replace(quote, status="expired")
    return quote


def _refuse_unless(quote: Quote, *states: str) -> None:
    if quote.status not in states:
        raise WrongState(record_id=quote.quote_id, state=quote.status, needs=" or ".join(states))


def _priced(lines: tuple[NewQuoteLine, ...]) -> tuple[QuoteLine, ...]:
    currency = lines[0].unit_price.amount.currency
    for line in lines:
        if line.unit_price.amount.currency != currency:
            raise CurrencyMismatch(expected=currency, given=line.unit_price.amount.currency)
    return tuple(
        QuoteLine(
            sku=line.sku,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_bp=line.discount_bp,
            net=line.unit_price.of(line.quantity, line.discount_bp),
        )
        for line in lines
    )
