"""What a web shop or marketplace reports of its orders."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, RecordId, Text


@kind("channel_order.created")
class ChannelOrderCreated(Struct, frozen=True, kw_only=True):
    """Somebody bought on a channel."""

    channel_order_id: RecordId
    account_id: AccountId
    channel: str


@kind("channel_order.cancelled")
class ChannelOrderCancelled(Struct, frozen=True, kw_only=True):
    """A channel takes an order back."""

    channel_order_id: RecordId
    account_id: AccountId
    channel: str
    order_id: str
    """The order that it had become; empty where it had become none."""
    reason: Text
