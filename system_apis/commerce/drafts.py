"""What is handed to commerce to be written, and the channels there are."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, Address, Money, Name, Quantity, Sku, UnitPrice

Channel = Literal["web_shop", "marketplace_north", "marketplace_south"]
ChannelStatus = Literal["new", "accepted", "shipped", "completed", "rejected", "cancelled"]


class ItemListing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a storefront shows a product; ``listed`` false keeps it but sells it no more."""

    title: Name
    price: Money
    listed: bool = True


class NewChannelOrderLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line at the channel's own price."""

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice


class NewChannelOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order as a channel took it; all lines are in one currency and listed on the channel."""

    channel: Channel
    account_id: AccountId
    lines: Annotated[tuple[NewChannelOrderLine, ...], Meta(min_length=1, max_length=500)]
    ship_to: Address


class StatusWriteBack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose order it is, how far it is in canonical words, and which order the channel's order became."""

    account_id: AccountId
    status: ChannelStatus
    order_id: Annotated[str, Meta(max_length=80, description="Empty when there is none, or to leave it as it is.")] = ""
