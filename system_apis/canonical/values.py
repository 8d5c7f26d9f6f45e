"""The canonical values: small immutable things with no identity, the same in every tier.

A value checks itself when it is made, so a bad one can't travel over the local binding either.
Any contract may use these; entities are for ports, flows and system contracts only.

Standards: ISO 4217 (currencies), ISO 3166-1 alpha-2 (countries), RFC 3339 (instants).
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from governance.call import ACCOUNT_ID
from system_apis.canonical.iso import COUNTRIES, CURRENCY_EXPONENTS

AMOUNT_LIMIT = 10**15
"""No single amount is larger than this many minor units, so that sums stay inside 64 bits."""

Sku = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$", description="Stock keeping unit.", examples=["BRG-6204"])
]
AccountId = Annotated[
    str, Meta(pattern=ACCOUNT_ID, description="Customer account, as CRM numbers it.", examples=["ACME"])
]
RecordId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$", description="Opaque identifier of a record.")
]
Reference = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=r"^[!-~]([ -~]*[!-~])?$",
        description="The caller's own reference; printable ASCII.",
        examples=["PO-1001"],
    ),
]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.", examples=["EUR"])]
Country = Annotated[str, Meta(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2 code.", examples=["DE"])]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000, description="Whole number of sales units.")]
Level = Annotated[int, Meta(ge=0, le=1_000_000_000, description="A stock level or remainder in sales units.")]
AmountMinor = Annotated[
    int, Meta(ge=-AMOUNT_LIMIT, le=AMOUNT_LIMIT, description="Minor units of the currency, such as cents.")
]
BasisPoints = Annotated[int, Meta(ge=0, le=10_000, description="Hundredths of a per cent.")]
Text = Annotated[str, Meta(max_length=2_000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
WarehouseId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z0-9][A-Z0-9-]{0,19}$", description="Warehouse or third-party logistics site.", examples=["HAM"]
    ),
]


def half_up(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded half away from zero, in integers; ``denominator`` > 0."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


class Money(Struct, frozen=True, order=False):
    """An amount in minor units of one currency: ``Money(1999, "EUR")`` is 19.99 euro."""

    amount_minor: AmountMinor
    currency: Currency

    def __post_init__(self) -> None:
        if self.currency not in CURRENCY_EXPONENTS:
            raise ValueError(f"{self.currency!r} is not a currency this gateway trades in (ISO 4217)")
        if not -AMOUNT_LIMIT <= self.amount_minor <= AMOUNT_LIMIT:
            raise ValueError(f"an amount must lie within ±{AMOUNT_LIMIT} minor units")

    def __add__(self, other: Money) -> Money:
        return Money(self.amount_minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount_minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount_minor, self.currency)

    def __str__(self) -> str:
        digits = CURRENCY_EXPONENTS[self.currency]
        whole, rest = divmod(abs(self.amount_minor), 10**digits)
        sign = "-" if self.amount_minor < 0 else ""
        return f"{sign}{whole:,}{f'.{rest:0{digits}d}' if digits else ''} {self.currency}"

    def share(self, basis_points: int) -> Money:
        """The amount times ``basis_points`` / 10,000, rounded half-up."""
        return Money(half_up(self.amount_minor * basis_points, 10_000), self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(f"cannot combine {self.currency} with {other.currency}: one currency an order")
        return other.amount_minor


class UnitPrice(Struct, frozen=True):
    """The price of ``per`` sales units; small parts are priced per 100 or 1000."""

    amount: Money
    per: Literal[1, 100, 1000] = 1

    def __post_init__(self) -> None:
        if self.amount.amount_minor < 0:
            raise ValueError("a price can't be negative")

    def of(self, quantity: int, discount_bp: int = 0) -> Money:
        """The line amount for ``quantity`` units after a discount in basis points, rounded half-up once."""
        numerator = self.amount.amount_minor * quantity * (10_000 - discount_bp)
        return Money(half_up(numerator, self.per * 10_000), self.amount.currency)


class Address(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A postal address. ``country`` is checked against ISO 3166-1."""

    name: Name
    street: Name
    city: Name
    country: Country
    postal_code: Annotated[str, Meta(max_length=20)] = ""
    region: Annotated[str, Meta(max_length=100)] = ""

    def __post_init__(self) -> None:
        if self.country not in COUNTRIES:
            raise ValueError(f"{self.country!r} is not a country code (ISO 3166-1 alpha-2)")


def total(amounts: tuple[Money, ...], currency: str) -> Money:
    """The sum of ``amounts``, all in ``currency``; zero for none.

    Raises:
        ValueError: an amount is in another currency.
    """
    result = Money(0, currency)
    for amount in amounts:
        result = result + amount
    return result
