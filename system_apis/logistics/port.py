"""What the logistics API needs of a warehouse and carrier system.

Every connector guarantees: a write is done once per reference (same content again gives the
record as it is now, other content is ``ReferenceTaken``); a cancel is by the release's reference,
tolerates that nothing is there and leaves a tombstone, so that a late release is ``Tombstoned``;
a shipment's status never moves backwards; the events of a shipment are in the order of time. A
change of a shipment takes the account it must belong to: another one is ``NotFound``.

When the system can't be reached the connector raises what its egress raises; whether the write
happened is then found out by the lookup by reference.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

from governance.contract import Delivery
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import Shipment, ShipmentLine
from system_apis.canonical.values import AccountId, Address, RecordId, Reference, Text, WarehouseId
from system_apis.logistics.notices import ShipmentNotice

ShipmentStatus = Literal["released", "picked", "dispatched", "delivered", "delayed", "cancelled"]


class ShipmentRequest(Struct, frozen=True, kw_only=True):
    """Goods to be sent from one warehouse to one address for one order."""

    account_id: AccountId
    order_reference: Reference
    warehouse: WarehouseId
    lines: tuple[ShipmentLine, ...]
    ship_to: Address
    promised_on: date | None = None


class ShipmentChange(Struct, frozen=True, kw_only=True):
    """A step that somebody took with a shipment by call."""

    reference: Reference
    shipment_id: RecordId
    kind: Literal["pick", "dispatch", "deliver", "delay"]


class ShipmentFilter(Struct, frozen=True, kw_only=True):
    """Which shipments are asked for; None: any."""

    account_ids: tuple[AccountId, ...] | None = None
    reference: Reference | None = None
    order_reference: Reference | None = None
    status: ShipmentStatus | None = None


class LogisticsPort(Protocol):
    """A warehouse and its carriers in canonical terms."""

    async def release_shipment(self, request: ShipmentRequest, reference: Reference) -> Shipment:
        """Tell the warehouse to pick and send.

        Raises:
            Tombstoned: the reference was cancelled before.
            ReferenceTaken: the reference stands for other content.
        """
        ...

    async def cancel_shipment(self, reference: Reference, account_id: AccountId) -> Shipment | None:
        """Undo the release of ``reference``; None: there was none, and there won't be one.

        Raises:
            NotFound: the shipment of this reference belongs to another account.
            AlreadyShipped: it is dispatched or later.
        """
        ...

    async def pick_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """The goods are off the shelf.

        Raises:
            NotFound, WrongState, ReferenceTaken
        """
        ...

    async def dispatch_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """The goods are with the carrier: from here on there is a carrier and a tracking number.

        Raises:
            NotFound, WrongState, ReferenceTaken
        """
        ...

    async def deliver_shipment(self, shipment_id: RecordId, account_id: AccountId, reference: Reference) -> Shipment:
        """The customer has the goods.

        Raises:
            NotFound, WrongState, ReferenceTaken
        """
        ...

    async def delay_shipment(
        self, shipment_id: RecordId, account_id: AccountId, promised_on: date, note: Text, reference: Reference
    ) -> Shipment:
        """The goods will come on ``promised_on`` instead, for the reason in ``note``.

        Raises:
            NotFound, WrongState, ReferenceTaken
        """
        ...

    async def get_shipment(self, shipment_id: RecordId) -> Shipment:
        """The shipment as it is now.

        Raises:
            NotFound
        """
        ...

    async def list_shipments(self, which: ShipmentFilter, after: int, limit: int) -> tuple[tuple[int, Shipment], ...]:
        """Up to ``limit`` shipments with their key, by rising key, keys above ``after``."""
        ...

    async def find_shipment_by_reference(self, reference: Reference) -> Shipment | None:
        """The shipment released under ``reference``."""
        ...

    async def find_change_by_reference(self, reference: Reference) -> ShipmentChange | None:
        """The pick, dispatch, delivery or delay made under ``reference``."""
        ...

    async def read_delivery(self, delivery: Delivery) -> ShipmentNotice | None:
        """What a webhook of the carrier says, its signature having been judged; None: nothing that matters here.

        Raises:
            InvalidBody: it is not what the carrier sends.
        """
        ...

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Up to ``limit`` changes above ``after``, each written with the change itself: shipments.

        A record that changed is among them before or as soon as its new state is read.
        """
        ...
