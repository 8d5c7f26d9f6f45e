"""The bodies and words of commerce v1 that are not canonical entities; drafts are the port's own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from system_apis.commerce.drafts import (
    Channel,
    ChannelStatus,
    ItemListing,
    NewChannelOrder,
    NewChannelOrderLine,
    StatusWriteBack,
)

SearchText = Annotated[str, Meta(min_length=1, max_length=200, description="Part of a title or SKU, in any case.")]

__all__ = [
    "Channel",
    "ChannelStatus",
    "ItemListing",
    "NewChannelOrder",
    "NewChannelOrderLine",
    "SearchText",
    "StatusWriteBack",
]
