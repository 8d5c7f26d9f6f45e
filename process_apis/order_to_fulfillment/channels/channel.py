"""What a sales channel is: a declaration of how orders that come by it are treated."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

DAY_S = 86_400
Shortage = Literal["reject", "ship_complete", "ship_partial"]
"""What becomes of an order for more than there is: rejected, sent when all of it is there, or in parts."""


class SalesChannel(Struct, frozen=True, kw_only=True):
    """One channel: what an order by it must state, how it is paid and taxed, and how soon it is its turn."""

    name: str
    title: str
    needs_channel_order: bool = False
    """The channel's own order has to be named, so that the channel can be told how it goes on."""
    reference: str = ""
    """A regular expression that the customer's reference must match in full; empty: any will do."""
    reference_is: str = "the customer's own number of the order"
    payment: Literal["account", "prepaid"] = "account"
    """As the account's terms say, or paid to the channel before the order comes."""
    tax: Literal["account", "destination"] = "account"
    """As the account's terms say, or as a consumer in the country where the goods go pays it."""
    priority: int = 5
    """1 is worked on first, 9 last."""
    duplicates: Literal["refuse", "flag"] = "refuse"
    """What becomes of an order that looks like one before it: refused, or taken and marked."""
    duplicate_window_s: int = DAY_S
    """How long an order is compared with those before it, in seconds."""
    shortage: Shortage = "reject"
    """What becomes of an order for more than there is when it does not say it itself."""
    back_order_days: int = 30
    """How long goods are waited for."""
    after_back_order: Literal["reject", "people"] = "reject"
    """What comes then: the rest is given up, or people decide."""

    def takes_reference(self, reference: str) -> bool:
        """Whether the reference is one that this channel takes."""
        return not self.reference or re.fullmatch(self.reference, reference) is not None
