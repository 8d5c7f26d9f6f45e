"""Events, version 1: what happened, as a feed."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, Stream, by, read, search, stream
from process_apis.events.v1.model import CloudEvent, EventId, EventTypes
from system_apis.canonical.values import AccountId, RecordId


class EventsV1(Contract, Protocol, owner="Integration platform"):
    """Everything that happened to orders, shipments, invoices, prices and the rest, in one order.

    Events are CloudEvents. Of one subject they have the sequence 1, 2, 3 …; whoever goes on after the
    last event that it has seen misses none.
    """

    @search("/events", scope="events.events:read", visible=by("account_id"))
    async def list_events(
        self,
        *,
        after: EventId | None = None,
        type: EventTypes | None = None,  # noqa: A002 - the word that callers use in the query
        subject: RecordId | None = None,
        account_id: AccountId | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[CloudEvent]:
        """Events in the order of the log, by type, subject or account.

        `after` is the id of the last event that you have: ask again with it for what is new. With
        `Prefer: wait=n` an answer without events is held for up to n seconds. An event that is no longer
        in the log is refused as `after`, because some may have been missed then.
        """
        ...

    @stream("/stream", scope="events.events:read", visible=by("account_id"))
    async def follow_events(
        self,
        *,
        after: EventId | None = None,
        type: EventTypes | None = None,  # noqa: A002 - as above
        subject: RecordId | None = None,
        account_id: AccountId | None = None,
    ) -> Stream[CloudEvent]:
        """Events as they happen, by type, subject or account.

        Begins after the event `after`, or the one of `Last-Event-ID`, and without either with the
        oldest that is kept.
        """
        ...

    @read("/events/{event_id}", scope="events.events:read", visible=by("account_id"))
    async def get_event(self, event_id: EventId) -> CloudEvent:
        """One event."""
        ...
