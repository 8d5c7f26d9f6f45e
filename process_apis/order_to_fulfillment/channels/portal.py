"""The customer portal: people of the account order for it."""

from __future__ import annotations

from process_apis.order_to_fulfillment.channels.channel import SalesChannel

CHANNEL = SalesChannel(name="portal", title="Customer portal", priority=3)
