"""Canonical values: money to the cent, and nothing that is not what it says."""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system_apis.canonical.iso import COUNTRIES, CURRENCY_EXPONENTS
from system_apis.canonical.values import AMOUNT_LIMIT, Address, Money, Quantity, Sku, UnitPrice, half_up, total


@given(st.integers(-(10**18), 10**18), st.integers(1, 10**9))
def test_half_up_rounds_halves_away_from_zero(numerator: int, denominator: int) -> None:
    away = math.floor(Fraction(abs(numerator), denominator) + Fraction(1, 2))
    assert half_up(numerator, denominator) == (-away if numerator < 0 else away)


@pytest.mark.parametrize(
    ("price", "per", "quantity", "discount_bp", "net"),
    [
        (980, 1, 10, 0, 9800),
        (980, 1, 3, 1500, 2499),
        (1, 100, 49, 0, 0),
        (1, 100, 50, 0, 1),
        (1999, 1000, 1, 0, 2),
        (333, 1, 3, 3333, 666),
        (0, 1, 1_000_000, 10_000, 0),
    ],
)
def test_a_line_is_rounded_once_and_half_up(price: int, per: int, quantity: int, discount_bp: int, net: int) -> None:
    unit_price = msgspec.convert({"amount": {"amount_minor": price, "currency": "EUR"}, "per": per}, UnitPrice)
    assert unit_price.of(quantity, discount_bp) == Money(net, "EUR")


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Money(1999, "EUR"), "19.99 EUR"),
        (Money(-5, "EUR"), "-0.05 EUR"),
        (Money(123_456_789, "JPY"), "123,456,789 JPY"),
        (Money(1_234, "KWD"), "1.234 KWD"),
    ],
)
def test_money_is_written_with_the_digits_of_its_currency(amount: Money, text: str) -> None:
    assert str(amount) == text


def test_money_of_two_currencies_does_not_combine() -> None:
    with pytest.raises(ValueError, match="cannot combine EUR with USD"):
        _ = Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="one currency an order"):
        total((Money(1, "EUR"), Money(1, "USD")), "EUR")


def test_sums_start_from_zero_of_their_currency() -> None:
    assert total((), "JPY") == Money(0, "JPY")
    assert total((Money(1, "EUR"), -Money(3, "EUR"), Money(5, "EUR") - Money(1, "EUR")), "EUR") == Money(2, "EUR")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"amount_minor": 1, "currency": "XXX"}', Money),
        (b'{"amount_minor": 1, "currency": "eur"}', Money),
        (b'{"amount_minor": 1.5, "currency": "EUR"}', Money),
        (b'{"amount_minor": %d, "currency": "EUR"}' % (AMOUNT_LIMIT + 1), Money),
        (b'{"amount": {"amount_minor": -1, "currency": "EUR"}}', UnitPrice),
        (b'{"amount": {"amount_minor": 1, "currency": "EUR"}, "per": 10}', UnitPrice),
        (b'{"name": "n", "street": "s", "city": "c", "country": "XX"}', Address),
        (b'{"name": "", "street": "s", "city": "c", "country": "DE"}', Address),
        (b"0", Quantity),
        (b"1000001", Quantity),
        (b'"-leading"', Sku),
        (b'""', Sku),
    ],
)
def test_a_bad_value_is_refused_when_it_is_decoded(body: bytes, kind: type) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=kind)


def test_a_bad_value_is_refused_when_it_is_made_locally() -> None:
    with pytest.raises(ValueError, match="not a currency"):
        Money(1, "ABC")
    with pytest.raises(ValueError, match="minor units"):
        Money(AMOUNT_LIMIT + 1, "EUR")
    with pytest.raises(ValueError, match="country"):
        Address(name="n", street="s", city="c", country="EN")


def test_a_share_is_rounded_half_up() -> None:
    assert Money(1_050, "EUR").share(1_900) == Money(200, "EUR")
    assert Money(50, "EUR").share(100) == Money(1, "EUR")


def test_code_lists_hold_codes() -> None:
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)
    assert len(COUNTRIES) == 249
    assert all(len(code) == 3 and code.isupper() for code in CURRENCY_EXPONENTS)
