"""The web shop: consumers order, and pay the tax of the country where the goods go."""

from __future__ import annotations

from process_apis.order_to_fulfillment.channels.channel import SalesChannel

CHANNEL = SalesChannel(name="web_shop", title="Web shop", tax="destination", priority=4, back_order_days=14)
