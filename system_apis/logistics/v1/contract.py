"""Logistics, version 1: shipments from release to delivery, and tracking."""

from __future__ import annotations

from typing import Protocol

from governance.contract import (
    Contract,
    Cursor,
    Delivery,
    Limit,
    Page,
    Receipt,
    action,
    by,
    create,
    inbound,
    read,
    search,
)
from system_apis.canonical.changes import NAMES_RECORDS as CHANGES_NAME_RECORDS
from system_apis.canonical.changes import ChangeLimit, ChangePosition, Changes
from system_apis.canonical.entities import Shipment
from system_apis.canonical.notices import NAMES_RECORDS, SIGNED, Notices, Position
from system_apis.canonical.refusals import AlreadyShipped, ReferenceTaken, Tombstoned, WrongState
from system_apis.canonical.values import AccountId, RecordId, Reference
from system_apis.logistics.notices import ShipmentNotices
from system_apis.logistics.v1.model import CancelResult, Delay, ForAccount, NewShipment, ShipmentStatus, Tracking

STEP_REFUSALS = [WrongState, ReferenceTaken]


class LogisticsV1(Contract, Protocol, owner="Supply chain systems"):
    """Shipments: released to a warehouse, picked, dispatched with a carrier, delivered."""

    @create(
        "/shipments",
        scope="logistics.shipments:write",
        raises=[ReferenceTaken, Tombstoned],
        visible=by("account_id"),
        location="/shipments/{shipment_id}",
    )
    async def release_shipment(self, shipment: NewShipment) -> Shipment:
        """Release goods to a warehouse for picking.

        The idempotency key becomes the shipment's unique reference in the warehouse.
        """
        ...

    @action(
        "/shipments/{reference}/cancel",
        scope="logistics.shipments:write",
        raises=[AlreadyShipped],
        visible=by("account_id"),
    )
    async def cancel_shipment(self, reference: RecordId, cancel: ForAccount) -> CancelResult:
        """Undo the release made under a reference.

        Safe when there is none: the reference is then barred, so that a late original is refused.
        Refused once dispatched, because only a return undoes that.
        """
        ...

    @action(
        "/shipments/{shipment_id}/pick",
        scope="logistics.shipments:write",
        raises=STEP_REFUSALS,
        visible=by("account_id"),
    )
    async def pick(self, shipment_id: RecordId, pick: ForAccount) -> Shipment:
        """Record that the goods are off the shelf."""
        ...

    @action(
        "/shipments/{shipment_id}/dispatch",
        scope="logistics.shipments:write",
        raises=STEP_REFUSALS,
        visible=by("account_id"),
    )
    async def dispatch(self, shipment_id: RecordId, dispatch: ForAccount) -> Shipment:
        """Hand picked goods to a carrier.

        The carrier is chosen and the tracking number given here.
        """
        ...

    @action(
        "/shipments/{shipment_id}/deliver",
        scope="logistics.shipments:write",
        raises=STEP_REFUSALS,
        visible=by("account_id"),
    )
    async def deliver(self, shipment_id: RecordId, deliver: ForAccount) -> Shipment:
        """Record that the customer has the goods."""
        ...

    @action(
        "/shipments/{shipment_id}/delay",
        scope="logistics.shipments:write",
        raises=STEP_REFUSALS,
        visible=by("account_id"),
    )
    async def delay(self, shipment_id: RecordId, delay: Delay) -> Shipment:
        """Promise another day.

        Before dispatch the status word stays and the steps to come are put off; after it the
        status is `delayed` until delivery. A delayed shipment has left: it can't be cancelled.
        """
        ...

    @read("/shipments/{shipment_id}", scope="logistics.shipments:read", visible=by("account_id"))
    async def get_shipment(self, shipment_id: RecordId) -> Shipment:
        """A shipment with its events."""
        ...

    @search("/shipments", scope="logistics.shipments:read", visible=by("account_id"))
    async def list_shipments(
        self,
        *,
        account_id: AccountId | None = None,
        reference: Reference | None = None,
        order_reference: Reference | None = None,
        status: ShipmentStatus | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[Shipment]:
        """Shipments, oldest first, by account, reference, order or status."""
        ...

    @read("/shipments/{shipment_id}/tracking", scope="logistics.shipments:read", visible=by("account_id"))
    async def get_tracking(self, shipment_id: RecordId) -> Tracking:
        """Where the goods are, in the carrier's words."""
        ...

    @inbound("/events", scope="logistics.events:receive", public_because=SIGNED)
    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Take the carrier's word that a shipment was picked, dispatched, delayed or delivered.

        Answered once it is kept. Deliver again until a 2xx comes: each event id is kept once, in any order.
        """
        ...

    @read("/notices", scope="logistics.notices:read", public_because=NAMES_RECORDS)
    async def list_notices(self, *, after: Position = 0, limit: Notices = 50) -> ShipmentNotices:
        """What the carrier reported by webhook, in the order in which it was kept, after a position."""
        ...

    @read("/changes", scope="logistics.changes:read", public_because=CHANGES_NAME_RECORDS)
    async def list_changes(self, *, after: ChangePosition = 0, limit: ChangeLimit = 100) -> Changes:
        """What changed after a position: shipments."""
        ...
