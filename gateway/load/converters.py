"""From the text of a cell to a plain value, or a sentence that says what is wrong with it.

Amounts go through ``decimal`` only: 12.5 in dollars is exactly 1250 cents, and 12.505 is refused,
not rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from gateway.load.countries import country_code
from system_apis.canonical.iso import CURRENCY_EXPONENTS

Plain = str | int | bool | Decimal | None
"""What a converter gives: JSON-like, but for amounts that wait for their currency."""

Converter = Callable[[str], Plain]

DECIMAL = re.compile(r"[+-]?\d{1,15}(\.\d{1,10})?\Z", re.ASCII)
WORDS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")


def typed(annotation: Any) -> Converter:
    """A converter that holds a cell to a canonical value's type, such as ``Sku`` or ``Level``."""

    def convert(text: str) -> Plain:
        try:
            return msgspec.convert(text, annotation, strict=False)
        except msgspec.ValidationError as error:
            raise ValueError(f"{text!r}: {str(error)[:1].lower()}{str(error)[1:]}") from None

    return convert


def one_of(*words: str) -> Converter:
    """A converter that lets only these words pass."""

    def convert(text: str) -> Plain:
        if text not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text

    return convert


def amount(text: str) -> Decimal:
    """A decimal number with a point and no thousands separator.

    Raises:
        ValueError: it is written in another way.
    """
    if not DECIMAL.match(text):
        raise ValueError(f"{text!r} is not a decimal number such as 12.50")
    return Decimal(text)


def yes_or_no(text: str) -> bool:
    """``1``, ``true`` or ``yes`` against ``0``, ``false`` or ``no``, in any case.

    Raises:
        ValueError: it is another word.
    """
    if text.casefold() not in WORDS:
        raise ValueError(f"{text!r} is neither yes nor no (1, true, yes, 0, false, no)")
    return WORDS[text.casefold()]


def country(text: str) -> str:
    """The country's ISO 3166-1 alpha-2 code. Raises ``ValueError`` for a name that is not known."""
    return country_code(text)


def currency(text: str) -> str:
    """An ISO 4217 code that the gateway trades in. Raises ``ValueError`` for any other."""
    if text not in CURRENCY_EXPONENTS:
        raise ValueError(f"{text!r} is no currency that is traded in here (ISO 4217)")
    return text


def minor_units(value: Decimal, currency_code: str) -> int:
    """``value`` in whole minor units of the currency, exactly.

    Raises:
        ValueError: it has a fraction of a minor unit.
    """
    scaled = value.scaleb(CURRENCY_EXPONENTS[currency_code])
    if scaled != scaled.to_integral_value():
        digits = CURRENCY_EXPONENTS[currency_code]
        raise ValueError(f"{value} has more than the {digits} decimals of {currency_code}")
    return int(scaled)


def refuse_control_characters(text: str) -> None:
    """Refuse what no name or address holds: control characters and bytes that were not UTF-8.

    Raises:
        ValueError
    """
    if CONTROL.search(text):
        raise ValueError("holds control characters or bytes that are not UTF-8")
