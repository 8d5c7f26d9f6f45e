"""Commerce v1 over a commerce platform's port; guarantees and failures are the connector's.

Every write of an order is recorded at the platform under the idempotency key of its call.
"""

from __future__ import annotations

from msgspec.json import decode

from governance.call import current_call
from governance.contract import CursorCodec, Delivery, Page, Receipt
from governance.webhooks import Inbox, opened
from system_apis.canonical.changes import Changes
from system_apis.canonical.entities import ChannelOrder, StorefrontItem
from system_apis.canonical.values import AccountId, RecordId, Sku
from system_apis.commerce.notices import ChannelOrderNotice, ChannelOrderNotices, ReceivedChannelOrderNotice
from system_apis.commerce.port import CommercePort
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.commerce.v1.model import Channel, ChannelStatus, ItemListing, NewChannelOrder, StatusWriteBack

ITEMS = "commerce.v1.list_items"
ORDERS = "commerce.v1.list_channel_orders"


class Commerce(CommerceV1):
    """Storefront items and channel orders, one call of the port an operation."""

    def __init__(self, port: CommercePort, cursors: CursorCodec, inbox: Inbox | None = None) -> None:
        self._port = port
        self._cursors = cursors
        self._inbox = inbox

    async def list_items(
        self, channel: Channel, *, query: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[StorefrontItem]:
        """The items a channel sells, by SKU."""
        filters = (channel, query)
        after = self._after(ITEMS, filters, cursor)
        rows = await self._port.list_items(channel=channel, query=query, after=after, limit=limit + 1)
        return self._cursors.page(ITEMS, filters, rows, limit, lambda item: (item.sku,))

    async def get_item(self, channel: Channel, sku: Sku) -> StorefrontItem:
        """One item of a channel."""
        return await self._port.get_item(channel, sku)

    async def put_item(self, channel: Channel, sku: Sku, listing: ItemListing) -> StorefrontItem:
        """List a product on a channel, or replace how it is listed."""
        return await self._port.put_item(channel, sku, listing)

    async def create_channel_order(self, order: NewChannelOrder) -> ChannelOrder:
        """Take an order as a channel has it."""
        return await self._port.create_channel_order(order, current_call().key)

    async def get_channel_order(self, channel_order_id: RecordId) -> ChannelOrder:
        """One order with its canonical status and the channel's own word for it."""
        return await self._port.get_channel_order(channel_order_id)

    async def list_channel_orders(
        self,
        *,
        channel: Channel | None = None,
        status: ChannelStatus | None = None,
        account_id: AccountId | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[ChannelOrder]:
        """Orders by channel, canonical status or account."""
        accounts = current_call().listed_accounts(account_id)
        filters = (channel, status, accounts)
        after = self._after(ORDERS, filters, cursor)
        rows = await self._port.list_channel_orders(
            channel=channel, status=status, account_ids=accounts, after=after, limit=limit + 1
        )
        return self._cursors.page(ORDERS, filters, rows, limit, lambda order: (order.channel_order_id,))

    async def write_back_status(self, channel_order_id: RecordId, write_back: StatusWriteBack) -> ChannelOrder:
        """Tell the channel how far the order is, in its own words."""
        return await self._port.write_back_status(channel_order_id, write_back, current_call().key)

    async def receive_event(self, delivery: Delivery) -> Receipt:
        """Keep the marketplace's word that a channel order was created or cancelled."""
        return await opened(self._inbox).receive(delivery, await self._port.read_delivery(delivery))

    async def list_notices(self, *, after: int = 0, limit: int = 50) -> ChannelOrderNotices:
        """What the marketplace reported by webhook, after a position."""
        received = await opened(self._inbox).after("commerce", after, limit)
        items = tuple(
            ReceivedChannelOrderNotice(
                position=one.position, event_id=one.event_id, notice=decode(one.notice, type=ChannelOrderNotice)
            )
            for one in received
        )
        return ChannelOrderNotices(items=items, position=items[-1].position if items else after)

    def _after(self, operation_id: str, filters: tuple[object, ...], cursor: str | None) -> str | None:
        last = self._cursors.decode(operation_id, filters, cursor)
        return None if last is None else str(last[0])

    async def list_changes(self, *, after: int = 0, limit: int = 100) -> Changes:
        """What changed after a position."""
        return await self._port.list_changes(after, limit)
