"""Partners: their systems order by purchase order, and people look after what stays short."""

from __future__ import annotations

from process_apis.order_to_fulfillment.channels.channel import SalesChannel

CHANNEL = SalesChannel(
    name="partner",
    title="Partner systems",
    reference=r"(?=.*[0-9]).{4,}",
    reference_is="the number of the partner's purchase order: four characters or more with a digit among them",
    priority=4,
    back_order_days=60,
    after_back_order="people",
)
