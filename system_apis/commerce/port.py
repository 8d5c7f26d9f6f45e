"""What Tiergate needs of any commerce platform, in canonical terms.

Guarantees that every connector keeps, and the conformance suite proves:

- a ``reference`` names one effect for ever: the same reference with the same content answers the
  record as it stands now, with other content it is refused with ``ReferenceTaken``;
- a write-back names the account it is for, and finds no order of another account;
- every write of an order is found again by its reference;
- an order's status never goes back: a late write-back is accepted and changes nothing;
- channels keep their own status words; callers see the canonical one and the channel's word beside it.

When the platform can't be reached a connector raises a retryable problem, never a refusal.
"""

from __future__ import annotations

from typing import Protocol

from governance.contract import Delivery
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import ChannelOrder, StorefrontItem
from system_apis.commerce.drafts import Channel, ItemListing, NewChannelOrder, StatusWriteBack
from system_apis.commerce.notices import ChannelOrderNotice


class CommercePort(Protocol):
    """Storefront items and channel orders."""

    async def get_item(self, channel: Channel, sku: str) -> StorefrontItem:
        """The item, listed or not. Raises UnknownProduct."""
        ...

    async def list_items(
        self, *, channel: Channel, query: str | None, after: str | None, limit: int
    ) -> tuple[StorefrontItem, ...]:
        """At most ``limit`` listed items by SKU after ``after``; ``query`` is part of a title or SKU in any case."""
        ...

    async def put_item(self, channel: Channel, sku: str, listing: ItemListing) -> StorefrontItem:
        """The item, made or replaced; channel and SKU are its reference."""
        ...

    async def create_channel_order(self, order: NewChannelOrder, reference: str) -> ChannelOrder:
        """The order, new. Raises UnknownProduct (not listed there), CurrencyMismatch, ReferenceTaken."""
        ...

    async def get_channel_order(self, channel_order_id: str) -> ChannelOrder:
        """The order. Raises NotFound."""
        ...

    async def find_channel_order_by_reference(self, reference: str) -> ChannelOrder | None:
        """The order that a write under ``reference`` made or changed."""
        ...

    async def list_channel_orders(
        self,
        *,
        channel: Channel | None,
        status: str | None,
        account_ids: tuple[str, ...] | None,
        after: str | None,
        limit: int,
    ) -> tuple[ChannelOrder, ...]:
        """At most ``limit`` orders by identifier after ``after``; ``status`` is canonical."""
        ...

    async def write_back_status(
        self, channel_order_id: str, write_back: StatusWriteBack, reference: str
    ) -> ChannelOrder:
        """The order, moved forward or left as it is. Raises NotFound, ReferenceTaken (tied to another order)."""
        ...

    async def read_delivery(self, delivery: Delivery) -> ChannelOrderNotice | None:
        """What a webhook of the marketplace says, its signature having been judged; None: nothing that matters here.

        Raises:
            InvalidBody: it is not what the marketplace sends.
        """
        ...

    async def list_changes(self, after: int, limit: int) -> Changes:
        """Up to ``limit`` changes above ``after``, each written with the change itself: channel orders.

        A record that changed is among them before or as soon as its new state is read.
        """
        ...
