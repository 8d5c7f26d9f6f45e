"""What a company decides about orders."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from system_apis.canonical.values import Currency, Money

HOUR_S = 3_600


class Threshold(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount in minor units of a currency."""

    currency: Currency
    amount_minor: Annotated[int, Meta(ge=0)]


class OrderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which orders wait for somebody's yes, and how long orders wait for what."""

    approval_above: tuple[Threshold, ...] = (
        Threshold(currency="EUR", amount_minor=10_000_000),
        Threshold(currency="USD", amount_minor=10_000_000),
    )
    """An order that comes to more, with tax, waits for a yes; one in a currency that is not here never does."""
    approval_due_s: Annotated[int, Meta(ge=1)] = 8 * HOUR_S
    """Sales is told of an order that waits for longer."""
    approval_most_s: Annotated[int, Meta(ge=1)] = 72 * HOUR_S
    """An order that nobody said yes to within this time is rejected."""
    stock_look_s: Annotated[float, Meta(gt=0)] = 300.0
    """How often goods that are short are looked for when nobody says that there are some."""

    def needs_approval(self, total: Money) -> bool:
        """Whether an order of this total waits for somebody's yes."""
        return any(
            total.currency == one.currency and total.amount_minor > one.amount_minor for one in self.approval_above
        )
