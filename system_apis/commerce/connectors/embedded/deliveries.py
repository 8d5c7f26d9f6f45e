"""The webhooks of such a platform: ``channel_order.created`` and ``.cancelled``."""

from __future__ import annotations

from msgspec import Struct

from governance.contract import Delivery
from system_apis.canonical.values import RecordId, Text
from system_apis.commerce.notices import ChannelOrderNotice, Kind
from system_apis.embedded import read_delivery

KINDS: dict[str, Kind] = {"channel_order.created": "created", "channel_order.cancelled": "cancelled"}


class Reported(Struct, frozen=True, kw_only=True):
    """Their data."""

    channel_order_id: RecordId
    reason: Text = ""


def notice_of(delivery: Delivery) -> ChannelOrderNotice | None:
    """What a delivery says of a channel's order; None where it is of another kind.

    Raises:
        InvalidBody: no such platform sends it.
    """
    told = read_delivery(delivery, KINDS, Reported)
    if told is None:
        return None
    data = told.data
    return ChannelOrderNotice(
        kind=told.kind, occurred_at=told.at, channel_order_id=data.channel_order_id, reason=data.reason
    )
