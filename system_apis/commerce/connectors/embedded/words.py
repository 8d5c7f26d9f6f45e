"""Each channel's own status words, and how far along each canonical status is.

The platform keeps a channel's own word and nothing else; the canonical status is read from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from system_apis.commerce.drafts import Channel, ChannelStatus

WORDS: Mapping[Channel, Mapping[ChannelStatus, str]] = {
    "web_shop": {
        "new": "received",
        "accepted": "processing",
        "shipped": "dispatched",
        "completed": "done",
        "rejected": "refused",
        "cancelled": "cancelled",
    },
    "marketplace_north": {
        "new": "Pending",
        "accepted": "Unshipped",
        "shipped": "Shipped",
        "completed": "Delivered",
        "rejected": "Unfulfillable",
        "cancelled": "Canceled",
    },
    "marketplace_south": {
        "new": "NEW",
        "accepted": "ACK",
        "shipped": "SENT",
        "completed": "CLOSED",
        "rejected": "NAK",
        "cancelled": "VOID",
    },
}

CANONICAL: Mapping[Channel, Mapping[str, ChannelStatus]] = {
    channel: {word: status for status, word in words.items()} for channel, words in WORDS.items()
}

AHEAD: Mapping[ChannelStatus, frozenset[ChannelStatus]] = {
    "new": frozenset(("accepted", "shipped", "completed", "rejected", "cancelled")),
    "accepted": frozenset(("shipped", "completed", "rejected", "cancelled")),
    "shipped": frozenset(("completed",)),
    "completed": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
}
"""Where an order can still go. Shipped goods come back by a return, so shipped is never cancelled."""
