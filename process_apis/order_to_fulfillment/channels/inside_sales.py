"""Inside sales: the company's own people order for an account."""

from __future__ import annotations

from process_apis.order_to_fulfillment.channels.channel import SalesChannel

CHANNEL = SalesChannel(
    name="inside_sales", title="Inside sales", priority=2, back_order_days=60, after_back_order="people"
)
