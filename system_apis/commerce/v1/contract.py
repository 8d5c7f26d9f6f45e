"""Commerce v1: what process APIs may ask of any web shop or marketplace."""

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
    replace,
    search,
)
from system_apis.canonical.changes import NAMES_RECORDS as CHANGES_NAME_RECORDS
from system_apis.canonical.changes import ChangeLimit, ChangePosition, Changes
from system_apis.canonical.entities import ChannelOrder, StorefrontItem
from system_apis.canonical.notices import NAMES_RECORDS, SIGNED, Notices, Position
from system_apis.canonical.refusals import CurrencyMismatch, ReferenceTaken, UnknownProduct
from system_apis.canonical.values import AccountId, RecordId, Sku
from system_apis.commerce.notices import ChannelOrderNotices
from system_apis.commerce.v1.model import (
    Channel,
    ChannelStatus,
    ItemListing,
    NewChannelOrder,
    SearchText,
    StatusWriteBack,
)

STOREFRONT = "A storefront shows its items to everybody; they belong to no account."


class CommerceV1(Contract, Protocol, owner="Digital commerce"):
    """Storefront items and the orders of the web shop and the marketplaces, with status write-back."""

    @search("/channels/{channel}/items", scope="commerce.items:read", public_because=STOREFRONT)
    async def list_items(
        self, channel: Channel, *, query: SearchText | None = None, limit: Limit = 50, cursor: Cursor | None = None
    ) -> Page[StorefrontItem]:
        """The items a channel sells, by SKU."""
        ...

    @read(
        "/channels/{channel}/items/{sku}",
        scope="commerce.items:read",
        raises=[UnknownProduct],
        public_because=STOREFRONT,
    )
    async def get_item(self, channel: Channel, sku: Sku) -> StorefrontItem:
        """One item of a channel, also when it is not listed any more."""
        ...

    @replace("/channels/{channel}/items/{sku}", scope="commerce.items:write", upsert=True, public_because=STOREFRONT)
    async def put_item(self, channel: Channel, sku: Sku, listing: ItemListing) -> StorefrontItem:
        """List a product on a channel, or replace how it is listed."""
        ...

    @create(
        "/channel-orders",
        scope="commerce.channel-orders:write",
        raises=[UnknownProduct, CurrencyMismatch, ReferenceTaken],
        visible=by("account_id"),
        location="/channel-orders/{channel_order_id}",
    )
    async def create_channel_order(self, order: NewChannelOrder) -> ChannelOrder:
        """Take an order as a channel has it, at the channel's prices."""
        ...

    @read("/channel-orders/{channel_order_id}", scope="commerce.channel-orders:read", visible=by("account_id"))
    async def get_channel_order(self, channel_order_id: RecordId) -> ChannelOrder:
        """One order with its canonical status and the channel's own word for it."""
        ...

    @search("/channel-orders", scope="commerce.channel-orders:read", visible=by("account_id"))
    async def list_channel_orders(
        self,
        *,
        channel: Channel | None = None,
        status: ChannelStatus | None = None,
        account_id: AccountId | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[ChannelOrder]:
        """Orders by channel, canonical status or account."""
        ...

    @action(
        "/channel-orders/{channel_order_id}/status",
        scope="commerce.channel-orders:write",
        raises=[ReferenceTaken],
        visible=by("account_id"),
    )
    async def write_back_status(self, channel_order_id: RecordId, write_back: StatusWriteBack) -> ChannelOrder:
        """Tell the channel how far the order is, in its own words.

        A status never goes back: a late or repeated write-back is accepted and changes nothing.
        """
        ...

    @inbound("/events", scope="commerce.events:receive", public_because=SIGNED)
    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Take the marketplace's word that a channel order was created or cancelled.

        Answered once it is kept. Deliver again until a 2xx comes: each event id is kept once, in any order.
        """
        ...

    @read("/notices", scope="commerce.notices:read", public_because=NAMES_RECORDS)
    async def list_notices(self, *, after: Position = 0, limit: Notices = 50) -> ChannelOrderNotices:
        """What the marketplace reported by webhook, in the order in which it was kept, after a position."""
        ...

    @read("/changes", scope="commerce.changes:read", public_because=CHANGES_NAME_RECORDS)
    async def list_changes(self, *, after: ChangePosition = 0, limit: ChangeLimit = 100) -> Changes:
        """What changed after a position: channel orders."""
        ...
