"""Events v1 over the log.

A caller is shown the events of its accounts; those of nobody, such as prices, only one that sees all
accounts. When the database is away the answer is ``unavailable``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial
from typing import Any

from governance.call import Clock, current_call
from governance.contract import CursorCodec, NotFound, Page, Stream, Violation
from governance.contract.refusals import InvalidParameters
from process_apis.events import trouble
from process_apis.events.event import Event
from process_apis.events.gathering import API, Gathering
from process_apis.events.log import Wanted, event_of, position_of
from process_apis.events.migration import MIGRATIONS
from process_apis.events.reports import Reports
from process_apis.events.systems import sources
from process_apis.events.tail import Tail
from process_apis.events.translation import Translation
from process_apis.events.v1.contract import EventsV1
from process_apis.events.v1.model import CloudEvent
from process_apis.flow.runtime import FlowRuntime
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.payments.v1.contract import PaymentsV1

LIST = "events.v1.list_events"
GONE = "is not in the log: it is too old, or was never there; begin without it"


class Events(EventsV1):
    """The feed."""

    needs = (
        ErpV1.list_changes,
        ErpV1.get_invoice,
        ErpV1.get_availability,
        LogisticsV1.list_changes,
        LogisticsV1.list_notices,
        LogisticsV1.get_shipment,
        PaymentsV1.list_changes,
        PaymentsV1.list_notices,
        PaymentsV1.get_payment,
    )

    def __init__(
        self,
        erp: ErpV1,
        logistics: LogisticsV1,
        payments: PaymentsV1,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
    ) -> None:
        flows.adopt(MIGRATIONS)
        flows.accompany(
            Gathering(flows, clock, Translation(erp, logistics, payments), sources(erp, logistics, payments))
        )
        flows.accompany(Reports(flows, clock, trouble.SOURCE, trouble.PaymentTrouble(payments).read, api=API))
        self._flows = flows
        self._cursors = cursors
        self._tail = Tail(flows, clock)

    async def list_events(
        self,
        *,
        after: str | None = None,
        type: str | None = None,  # noqa: A002 - as the contract has it
        subject: str | None = None,
        account_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[CloudEvent]:
        """Events in the order of the log, held while there is none as long as the caller prefers."""
        call = current_call()
        wanted = _wanted(type, subject, account_id)
        filters = (after, type, subject, wanted.account_ids)
        last = self._cursors.decode(LIST, filters, cursor)
        position = (
            int(last[0]) if last else await self._position(after, wanted, Violation(parameter="after", detail=GONE))
        )
        found = await self._tail.after(position, wanted, limit + 1, 0.0 if cursor else call.wait_s)
        page = self._cursors.page(LIST, filters, found, limit, _place)
        return Page(tuple(map(cloud_event, page.items)), page.next_cursor)

    async def follow_events(
        self,
        *,
        after: str | None = None,
        type: str | None = None,  # noqa: A002 - as the contract has it
        subject: str | None = None,
        account_id: str | None = None,
    ) -> Stream[CloudEvent]:
        """Events as they happen."""
        wanted = _wanted(type, subject, account_id)
        said = current_call().last_event_id  # by a client that comes back, so it is the newer of the two
        place = Violation(header="Last-Event-ID", detail=GONE) if said else Violation(parameter="after", detail=GONE)
        position = await self._position(said or after, wanted, place)
        return Stream(_shown(self._tail.follow(position, wanted)))

    async def get_event(self, event_id: str) -> CloudEvent:
        """One event."""
        found = await self._flows.read(partial(event_of, event_id=event_id))
        if found is None:
            raise NotFound()
        return cloud_event(found)

    async def _position(self, after: str | None, wanted: Wanted, otherwise: Violation) -> int:
        if after is None:
            return 0
        found = await self._flows.read(partial(position_of, event_id=after, account_ids=wanted.account_ids))
        if found is None:
            raise InvalidParameters((otherwise,))
        return found


def _wanted(types: str | None, subject: str | None, account_id: str | None) -> Wanted:
    words: tuple[str, ...] = tuple(types.split(",")) if types else ()
    return Wanted(types=words, subject=subject, account_ids=current_call().listed_accounts(account_id))


async def _shown(events: AsyncGenerator[Event, None]) -> AsyncGenerator[CloudEvent, None]:
    async with aclosing(events):
        async for event in events:
            yield cloud_event(event)


def _place(event: Event) -> tuple[Any, ...]:
    return (event.position,)


def cloud_event(event: Event) -> CloudEvent:
    """What this version shows of an event."""
    return CloudEvent(
        specversion="1.0",
        id=event.event_id,
        source=event.source,
        type=f"tiergate.{event.type}.v{event.version}",
        subject=event.subject,
        time=event.at,
        sequence=f"{event.sequence:010}",
        datacontenttype="application/json",
        account_id=event.account_id,
        data=event.data,
    )
