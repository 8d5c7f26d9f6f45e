"""Channels' own orders: a marketplace's webhook says that one was made or taken back.

An order that became ours is asked to turn back when its channel takes it back, which it does up to the
release of its shipment; after that its cancellation is a matter for people, who find the event.
"""

from __future__ import annotations

from governance.contract import NotFound
from process_apis.events.kind import happened
from process_apis.events.reports import Read, Report
from process_apis.events.taxonomy.channel_order import ChannelOrderCancelled, ChannelOrderCreated
from system_apis.commerce.notices import ReceivedChannelOrderNotice
from system_apis.commerce.v1.contract import CommerceV1

SOURCE = "commerce reports"


class ChannelReports:
    """Reads the channels' notices."""

    def __init__(self, commerce: CommerceV1) -> None:
        self._commerce = commerce

    async def read(self, after: int, limit: int) -> Read:
        """What was reported after a position.

        Raises:
            SystemUnavailable: the channels can't be asked now.
        """
        found = await self._commerce.list_notices(after=after, limit=limit)
        reports = [await self._report(one) for one in found.items]
        return Read(reports=tuple(report for report in reports if report is not None), position=found.position)

    async def _report(self, received: ReceivedChannelOrderNotice) -> Report | None:
        notice = received.notice
        try:
            order = await self._commerce.get_channel_order(notice.channel_order_id)
        except NotFound:
            return None
        data: ChannelOrderCreated | ChannelOrderCancelled
        if notice.kind == "created":
            data = ChannelOrderCreated(
                channel_order_id=order.channel_order_id, account_id=order.account_id, channel=order.channel
            )
        else:
            data = ChannelOrderCancelled(
                channel_order_id=order.channel_order_id,
                account_id=order.account_id,
                channel=order.channel,
                order_id=order.order_id,
                reason=notice.reason,
            )
        source_id = f"webhook:{received.event_id}"
        event = happened(
            data,
            subject=order.channel_order_id,
            account_id=order.account_id,
            source="/system/commerce/v1",
            source_id=source_id,
        )
        if notice.kind == "created" or not order.order_id:
            return Report(events=(event,))
        return Report(
            events=(event,),
            flow_id=order.order_id,
            signal="channel_order",
            body=order.channel_order_id.encode(),
            source_id=f"commerce {source_id}",
            cancels=f"The channel took it back: {notice.reason}".rstrip(": "),
        )
