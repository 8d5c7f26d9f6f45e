"""The webhooks of such a warehouse: ``shipment.picked``, ``.dispatched``, ``.delayed`` and ``.delivered``."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from governance.contract import Delivery
from system_apis.canonical.values import RecordId, Text
from system_apis.embedded import read_delivery
from system_apis.logistics.notices import Kind, ShipmentNotice

KINDS: dict[str, Kind] = {
    "shipment.picked": "picked",
    "shipment.dispatched": "dispatched",
    "shipment.delayed": "delayed",
    "shipment.delivered": "delivered",
}


class Reported(Struct, frozen=True, kw_only=True):
    """Their data."""

    shipment_id: RecordId
    promised_on: date | None = None
    reason: Text = ""


def notice_of(delivery: Delivery) -> ShipmentNotice | None:
    """What a delivery says of a shipment; None where it is of another kind.

    Raises:
        InvalidBody: no such warehouse sends it.
    """
    told = read_delivery(delivery, KINDS, Reported)
    if told is None:
        return None
    data = told.data
    return ShipmentNotice(
        kind=told.kind,
        occurred_at=told.at,
        shipment_id=data.shipment_id,
        promised_on=data.promised_on,
        reason=data.reason,
    )
