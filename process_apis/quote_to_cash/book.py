"""Quotes in Tiergate's own tables: the document, and the columns by which quotes are looked up."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.flow.table import Refused
from process_apis.flow.timeline import microseconds
from process_apis.quote_to_cash.record import QuoteRecord
from process_apis.quote_to_cash.tables import quotes
from system_apis.canonical.refusals import QuoteDeclined, QuoteExpired

RECORD = msgspec.json.Decoder(QuoteRecord)
TROUBLED = ("rejected", "cancelled", "on_hold")
ENDS = {QuoteExpired.type: "expired", QuoteDeclined.type: "declined"}


class QuoteFilter(Struct, frozen=True, kw_only=True):
    """Which quotes are asked for; None: any."""

    account_ids: tuple[str, ...] | None = None
    status: str | None = None
    updated_since: datetime | None = None


class QuoteBook:
    """Keeps quotes for the flow, in its transactions, and finds them."""

    def load(self, connection: sa.Connection, flow_id: str) -> QuoteRecord:
        """The quote of this id.

        Raises:
            NotFound: there is none.
        """
        query = sa.select(quotes.c.document).where(quotes.c.quote_id == flow_id)
        document = connection.execute(query).scalar()
        if document is None:
            raise NotFound()
        return RECORD.decode(document)

    def add(self, connection: sa.Connection, flow_id: str, state: QuoteRecord) -> None:
        """Keep a new quote."""
        row = {
            "quote_id": flow_id,
            "account_id": state.account_id,
            "requested_us": microseconds(state.requested_at),
            **_changing(state),
        }
        connection.execute(sa.insert(quotes), row)

    def save(self, connection: sa.Connection, flow_id: str, state: QuoteRecord) -> None:
        """Keep a quote's new state."""
        connection.execute(sa.update(quotes).where(quotes.c.quote_id == flow_id).values(**_changing(state)))

    def mark(self, state: QuoteRecord, status: str | None, stage: str, at: datetime) -> QuoteRecord:
        """The quote under a new status and stage; the reason goes with the trouble."""
        status = status or state.status
        if status in TROUBLED:
            return replace(state, status=status, stage=stage, updated_at=at)
        return replace(state, status=status, stage=stage, updated_at=at, end_reason=None, problem=None)

    def explain(self, state: QuoteRecord, why: Refused) -> QuoteRecord:
        """The quote with the reason for what is wrong; one that nobody accepted has expired or was declined."""
        status = ENDS.get(why.problem, state.status) if state.status == "rejected" else state.status
        return replace(state, status=status, end_reason=why.reason or None, problem=why.problem or None)

    def find(
        self, connection: sa.Connection, which: QuoteFilter, after: tuple[int, str] | None, limit: int
    ) -> list[QuoteRecord]:
        """Up to ``limit`` quotes, newest first, those below ``after`` (instant in microseconds, id)."""
        newest = (quotes.c.requested_us.desc(), quotes.c.quote_id.desc())
        query = sa.select(quotes.c.document).order_by(*newest).limit(limit)
        if which.account_ids is not None:
            query = query.where(quotes.c.account_id.in_(which.account_ids))
        if which.status is not None:
            query = query.where(quotes.c.status == which.status)
        if which.updated_since is not None:
            query = query.where(quotes.c.updated_us >= microseconds(which.updated_since))
        if after is not None:
            query = query.where(sa.tuple_(quotes.c.requested_us, quotes.c.quote_id) < sa.tuple_(*after))
        return [RECORD.decode(document) for document in connection.execute(query).scalars()]

    def billed(self, connection: sa.Connection, account_id: str) -> list[str]:
        """The ids of the account's quotes that wait for money."""
        waits = (quotes.c.account_id == account_id, quotes.c.status.in_(("invoiced", "on_hold")))
        return list(connection.execute(sa.select(quotes.c.quote_id).where(*waits)).scalars())


def _changing(state: QuoteRecord) -> dict[str, object]:
    return {
        "status": state.status,
        "document": msgspec.json.encode(state).decode(),
        "updated_us": microseconds(state.updated_at),
    }
