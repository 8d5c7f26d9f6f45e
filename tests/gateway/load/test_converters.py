"""Cells become values exactly, or a sentence that says why not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.load.converters import amount, minor_units, one_of, refuse_control_characters, typed, yes_or_no
from gateway.load.countries import CODE_BY_NAME, country_code
from system_apis.canonical.iso import COUNTRIES
from system_apis.canonical.values import Level, Sku


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Germany", "DE"), ("USA", "US"), ("UK", "GB"), ("  united   kingdom ", "GB"), ("méxico", "MX"), ("fr", "FR"),
        ("Venezuela", "VE"), ("Switzerland", "CH"), ("VIET NAM", "VN"),
    ],
)  # fmt: skip
def test_countries_by_name_or_code(text: str, code: str) -> None:
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["Atlantis", "XX", "Germany?", "U"])
def test_an_unknown_country_is_refused_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="no country name"):
        country_code(text)


def test_every_name_stands_for_a_country_of_the_standard() -> None:
    assert set(CODE_BY_NAME.values()) <= COUNTRIES
    assert len(set(CODE_BY_NAME.values())) > 190


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.5", "USD", 1250), ("263.5", "USD", 26350), ("18", "USD", 1800), ("0.29", "EUR", 29), ("1200", "JPY", 1200),
     ("1.234", "KWD", 1234), ("12.50000", "USD", 1250)],
)  # fmt: skip
def test_amounts_become_minor_units_exactly(text: str, currency: str, minor: int) -> None:
    assert minor_units(amount(text), currency) == minor


@pytest.mark.parametrize(("text", "currency"), [("12.505", "USD"), ("0.5", "JPY")])
def test_a_fraction_of_a_minor_unit_is_refused_not_rounded(text: str, currency: str) -> None:
    with pytest.raises(ValueError, match="more than"):
        minor_units(amount(text), currency)


@given(st.integers(-(10**12), 10**12))
def test_every_cent_survives(cents: int) -> None:
    assert minor_units(amount(str(Decimal(cents) / 100)), "USD") == cents


@pytest.mark.parametrize(
    "text", ["", "12,50", "1 000", "1e3", "NaN", "Infinity", "$5", "٣", "0x10", "1.", ".5", "9" * 16]
)
def test_other_spellings_of_numbers_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal number"):
        amount(text)


def test_cells_are_held_to_canonical_types() -> None:
    assert typed(Sku)("BRG-6204") == "BRG-6204"
    assert typed(Level)("39") == 39
    for annotation, text in ((Sku, "a b"), (Level, "-1"), (Level, "3.5"), (Level, "many")):
        with pytest.raises(ValueError, match=repr(text)):
            typed(annotation)(text)


def test_words_and_flags() -> None:
    assert [yes_or_no(text) for text in ("1", "TRUE", "no", "0")] == [True, True, False, False]
    with pytest.raises(ValueError, match="neither yes nor no"):
        yes_or_no("2")
    with pytest.raises(ValueError, match="none of key, small"):
        one_of("key", "small")("big")


@pytest.mark.parametrize("text", ["a\x00b", "tab\tbed", "\x7f", "caf\udce9", "\ufffd"])
def test_control_characters_and_broken_bytes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        refuse_control_characters(text)
