"""Bodies and answers of payments v1."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from system_apis.canonical.entities import Payment
from system_apis.canonical.values import AccountId, Money, Reference

CardToken = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="The provider's token of a card, never a card number. The embedded provider knows "
        "`card_ok`, `card_declined` and `card_insufficient_funds`.",
        examples=["card_ok"],
    ),
]


def _positive(amount: Money) -> None:
    if amount.amount_minor <= 0:
        raise ValueError("the amount must be above zero")


class NewPayment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An amount to set aside on a card for one order."""

    account_id: AccountId
    order_reference: Reference
    amount: Money
    card_token: CardToken

    def __post_init__(self) -> None:
        _positive(self.amount)


class Capture(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the authorised amount to take, and whose payment it must be."""

    account_id: AccountId
    amount: Money

    def __post_init__(self) -> None:
        _positive(self.amount)


class Refund(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the captured amount to give back, and whose payment it must be."""

    account_id: AccountId
    amount: Money

    def __post_init__(self) -> None:
        _positive(self.amount)


class Void(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose authorisation is undone."""

    account_id: AccountId


class VoidResult(Struct, frozen=True, kw_only=True):
    """The reference is undone. ``nothing_to_void``: it never was, and a late original is refused."""

    reference: Reference
    account_id: AccountId
    outcome: Literal["voided", "nothing_to_void"]
    payment: Payment | None = None
