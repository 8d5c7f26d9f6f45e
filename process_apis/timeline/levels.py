"""Service levels: how long an order may take, by channel and priority, as declared data.

A level counts from acceptance. The first of ``SERVICE_LEVELS`` that fits an order is its own; an
order that is on hold is measured against where it should be by now, because its customer waits for
goods and not for our queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
Milestone = Literal["confirmed", "shipped", "completed"]
URGENT = 3
"""Priorities up to this one are urgent; 1 comes first, 5 is what flows have otherwise."""


class ServiceLevel(Struct, frozen=True, kw_only=True):
    """How long orders may take to each milestone, seconds from acceptance."""

    name: str
    channels: tuple[str, ...] = ()
    """Of these channels; empty: of all."""
    most_priority: int | None = None
    """Up to this priority number; None: of every priority."""
    confirmed_s: int
    shipped_s: int
    completed_s: int

    def fits(self, channel: str, priority: int) -> bool:
        """Whether it is the level of such an order."""
        return (not self.channels or channel in self.channels) and (
            self.most_priority is None or priority <= self.most_priority
        )

    def seconds(self, milestone: Milestone) -> int:
        """How long the milestone may take."""
        match milestone:
            case "confirmed":
                return self.confirmed_s
            case "shipped":
                return self.shipped_s
            case "completed":
                return self.completed_s


SERVICE_LEVELS = (
    ServiceLevel(name="urgent", most_priority=URGENT, confirmed_s=HOUR_S // 4, shipped_s=DAY_S, completed_s=2 * DAY_S),
    ServiceLevel(
        name="marketplace",
        channels=("marketplace_north", "marketplace_south"),
        confirmed_s=2 * HOUR_S,
        shipped_s=2 * DAY_S,
        completed_s=4 * DAY_S,
    ),
    ServiceLevel(name="web", channels=("web_shop",), confirmed_s=HOUR_S, shipped_s=2 * DAY_S, completed_s=4 * DAY_S),
    ServiceLevel(name="standard", confirmed_s=4 * HOUR_S, shipped_s=3 * DAY_S, completed_s=7 * DAY_S),
)
"""The last fits every order."""

FRESH_S = HOUR_S // 4
"""How soon after the goods have left the channel should know."""


def level_of(channel: str, priority: int, levels: Sequence[ServiceLevel] = SERVICE_LEVELS) -> ServiceLevel:
    """The service level of an order.

    Raises:
        LookupError: none fits it.
    """
    found = next((level for level in levels if level.fits(channel, priority)), None)
    if found is None:
        raise LookupError(f"no service level fits an order of {channel} with priority {priority}")
    return found


def next_milestone(*, confirmed: bool, shipped: bool) -> Milestone:
    """What an order under way should reach next."""
    if not confirmed:
        return "confirmed"
    return "completed" if shipped else "shipped"
