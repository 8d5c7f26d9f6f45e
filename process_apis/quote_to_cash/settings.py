"""What a company decides about quotes and about the money for them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from process_apis.quote_to_cash.dunning import DUNNING, DunningStage
from process_apis.quote_to_cash.rules import DiscountRules


class QuoteSettings(Struct, frozen=True, kw_only=True):
    """The rules for discounts, validity and reminders."""

    discounts: DiscountRules = DiscountRules()
    valid_days: Annotated[int, Meta(ge=1, le=366)] = 30
    """How long a quote can be accepted that names no day."""
    dunning: tuple[DunningStage, ...] = DUNNING
    hold_after_days: Annotated[int, Meta(ge=1)] = 10
    """Days after the last reminder until the account is put on hold."""
    look_s: Annotated[int, Meta(ge=1)] = 3_600
    """An invoice that waits for its money is looked at this often, when nobody tells of a payment."""

    def __post_init__(self) -> None:
        if [stage.number for stage in self.dunning] != [stage.number for stage in DUNNING]:
            raise ValueError("dunning has the stages 1, 2 and 3, in this order")
        days = [stage.after_days for stage in self.dunning]
        if days != sorted(days):
            raise ValueError("a later stage of dunning comes later")
