"""How long goods are expected to be short: days by category, as purchasing states them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from process_apis.order_to_fulfillment.record import Line

DAYS: Mapping[str, int] = {
    "Bearings": 10,
    "Seals": 10,
    "Drives": 28,
    "Fasteners": 7,
    "Tools": 14,
    "Safety": 7,
    "Lubricants": 7,
    "Pneumatics": 21,
}
OTHERWISE = 14


def expected_on(today: date, lines: Iterable[Line]) -> date:
    """When all of these lines should be there again."""
    return today + timedelta(days=max((DAYS.get(line.category, OTHERWISE) for line in lines), default=OTHERWISE))
