"""Marketplace North: it sold the goods and took the money already, so an order by it is not turned away lightly."""

from __future__ import annotations

from process_apis.order_to_fulfillment.channels.channel import SalesChannel

CHANNEL = SalesChannel(
    name="marketplace_north",
    title="Marketplace North",
    needs_channel_order=True,
    payment="prepaid",
    tax="destination",
    priority=4,
    duplicates="flag",
    back_order_days=7,
)
