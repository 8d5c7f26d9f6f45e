"""Logistics v1 over a warehouse's port; guarantees and failures are the connector's."""

from __future__ import annotations

from msgspec.json import decode

from governance.call import current_call
from governance.contract import CursorCodec, Delivery, Page, Receipt
from governance.webhooks import Inbox, opened
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Shipment
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.logistics.notices import ReceivedShipmentNotice, ShipmentNotice, ShipmentNotices
from system_apis.logistics.port import LogisticsPort, ShipmentFilter, ShipmentRequest
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.logistics.v1.model import CancelResult, Delay, ForAccount, NewShipment, ShipmentStatus, Tracking

LIST = "logistics.v1.list_shipments"


class Logistics(LogisticsV1):
    """Every write is recorded at the warehouse under the idempotency key of its call."""

    def __init__(self, port: LogisticsPort, cursors: CursorCodec, inbox: Inbox | None = None) -> None:
        self._port = port
        self._cursors = cursors
        self._inbox = inbox

    async def release_shipment(self, shipment: NewShipment) -> Shipment:
        """Release goods to a warehouse for picking."""
        request = ShipmentRequest(
            account_id=shipment.account_id,
            order_reference=shipment.order_reference,
            warehouse=shipment.warehouse,
            lines=shipment.lines,
            ship_to=shipment.ship_to,
            promised_on=shipment.promised_on,
        )
        return await self._port.release_shipment(request, current_call().key)

    async def cancel_shipment(self, reference: RecordId, cancel: ForAccount) -> CancelResult:
        """Undo the release made under a reference."""
        shipment = await self._port.cancel_shipment(reference, cancel.account_id)
        return CancelResult(
            reference=reference,
            account_id=cancel.account_id,
            outcome="nothing_to_cancel" if shipment is None else "cancelled",
            shipment=shipment,
        )

    async def pick(self, shipment_id: RecordId, pick: ForAccount) -> Shipment:
        """Record that the goods are off the shelf."""
        return await self._port.pick_shipment(shipment_id, pick.account_id, current_call().key)

    async def dispatch(self, shipment_id: RecordId, dispatch: ForAccount) -> Shipment:
        """Hand picked goods to a carrier."""
        return await self._port.dispatch_shipment(shipment_id, dispatch.account_id, current_call().key)

    async def deliver(self, shipment_id: RecordId, deliver: ForAccount) -> Shipment:
        """Record that the customer has the goods."""
        return await self._port.deliver_shipment(shipment_id, deliver.account_id, current_call().key)

    async def delay(self, shipment_id: RecordId, delay: Delay) -> Shipment:
        """Promise another day."""
        return await self._port.delay_shipment(
            shipment_id, delay.account_id, delay.promised_on, delay.note, current_call().key
        )

    async def get_shipment(self, shipment_id: RecordId) -> Shipment:
        """A shipment with its events."""
        return await self._port.get_shipment(shipment_id)

    async def list_shipments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        order_reference: Reference | None = None,
        status: ShipmentStatus | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[Shipment]:
        """Shipments, oldest first, by account, reference, order or status."""
        accounts = current_call().listed_accounts(account_id)
        filters = (accounts, reference, order_reference, status)
        after = self._cursors.decode(LIST, filters, cursor)
        which = ShipmentFilter(
            account_ids=accounts, reference=reference, order_reference=order_reference, status=status
        )
        rows = await self._port.list_shipments(which, int(after[0]) if after else 0, limit + 1)
        items = tuple(shipment for _, shipment in rows[:limit])
        more = self._cursors.encode(LIST, filters, (rows[limit - 1][0],)) if len(rows) > limit else None
        return Page(items=items, next_cursor=more)

    async def get_tracking(self, shipment_id: RecordId) -> Tracking:
        """Where the goods are, in the carrier's words."""
        shipment = await self._port.get_shipment(shipment_id)
        return Tracking(
            shipment_id=shipment.shipment_id,
            account_id=shipment.account_id,
            status=shipment.status,
            carrier=shipment.carrier,
            tracking_number=shipment.tracking_number,
            promised_on=shipment.promised_on,
            events=shipment.events,
        )

    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Keep the carrier's word that a shipment was picked, dispatched, delayed or delivered."""
        return await opened(self._inbox).receive(delivery, await self._port.read_delivery(delivery))

    async def list_notices(self, *, after: int = 0, limit: int = 50) -> ShipmentNotices:
        """What the carrier reported by webhook, after a position."""
        received = await opened(self._inbox).after("logistics", after, limit)
        items = tuple(
            ReceivedShipmentNotice(
                position=one.position, event_id=one.event_id, notice=decode(one.notice, type=ShipmentNotice)
            )
            for one in received
        )
        return ShipmentNotices(items=items, position=items[-1].position if items else after)

    async def list_changes(self, *, after: int = 0, limit: int = 100) -> Changes:
        """What changed after a position."""
        return await self._port.list_changes(after, limit)
