"""Path and query parameters: one spelling of each value, every violation by name."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from governance.contract import Contract, operation_of, read
from governance.contract.refusals import InvalidParameters
from governance.wire.parameters import ParameterReader, percent_decoded
from governance.wire.shape import MOST_VIOLATIONS

Number = Annotated[int, Meta(ge=-5, le=50)]
Code = Annotated[str, Meta(pattern=r"^[a-z]+$", max_length=5)]


class Nothing(Struct, frozen=True):
    pass


class FieldsV1(Contract, Protocol, owner="Tests", folder="system_apis.fields.v1"):
    """Parameters of every type."""

    @read("/a/{code}/b/{number}", scope="fields.all:read", public_because="Sample.")
    async def get(
        self,
        number: Number,
        code: Code,
        *,
        needed: str,
        text: str | None = None,
        flag: bool = False,
        day: date | None = None,
        at: datetime | None = None,
        kind: Literal["one", "two"] = "one",
        most: Number = 7,
    ) -> Nothing:
        """All of them."""
        ...


READER = ParameterReader(operation_of(FieldsV1.get))


def read_query(query: str, path: tuple[str, ...] = ("abc", "1")) -> list[Any]:
    return READER.read(path, query.encode("latin-1"))


def violations(query: str, path: tuple[str, ...] = ("abc", "1")) -> dict[str | None, str]:
    with pytest.raises(InvalidParameters) as caught:
        read_query(query, path)
    return {violation.parameter: violation.detail for violation in caught.value.violations}


def test_arguments_stand_in_the_order_of_the_signature() -> None:
    assert read_query("needed=x") == [1, "abc", "x", None, False, None, None, "one", 7]


def test_every_type_has_its_one_spelling() -> None:
    query = "needed=&text=a+b%2Bc&flag=true&day=2026-02-28&at=2026-02-28T10:00:00Z&kind=two&most=-5"
    values = read_query(query)
    assert values[2:6] == ["", "a b+c", True, date(2026, 2, 28)]
    assert values[6].isoformat() == "2026-02-28T10:00:00+00:00"
    assert values[7:] == ["two", -5]


@pytest.mark.parametrize(
    "text", ["01", "+1", "1.0", "1e1", "", " 1", "١", "0x1", "-0", "9" * 30, "51", "-6", "true", "1_0"]
)
def test_whole_numbers_are_digits_within_bounds(text: str) -> None:
    assert list(violations(f"needed=x&most={quote(text)}")) == ["most"]


@pytest.mark.parametrize("text", ["True", "1", "yes", "", "TRUE"])
def test_booleans_are_true_and_false(text: str) -> None:
    assert violations(f"needed=x&flag={text}") == {"flag": "must be true or false"}


@pytest.mark.parametrize("pair", ["day=2026-02-30", "day=today", "at=2026-02-28", "kind=three", "kind=", "day="])
def test_dates_and_choices_are_exact(pair: str) -> None:
    assert list(violations(f"needed=x&{pair}")) == [pair.partition("=")[0]]


def test_a_choice_says_what_there_is() -> None:
    assert "one, two" in violations("needed=x&kind=three")["kind"]


def test_every_violation_is_named() -> None:
    found = violations("text=a&text=b&mystery=1&day=x&%zz=1&flag=%ff&most=%00", ("ABC", "999"))
    assert found == {
        "code": "expected str matching regex '^[a-z]+$'",
        "number": "expected int <= 50",
        "text": "came more than once",
        "mystery": "is not a parameter of this operation",
        "day": "invalid RFC3339 encoded date",
        "?": "has a broken percent escape",
        "flag": "is not UTF-8",
        "most": "holds a NUL character",
        "needed": "is required",
    }


@pytest.mark.parametrize("query", ["needed=x&needed=x", "needed=x&%6eeeded=y", "needed=x&needed"])
def test_a_parameter_comes_once_however_it_is_spelled(query: str) -> None:
    assert violations(query) == {"needed": "came more than once"}


@pytest.mark.parametrize("name", ["Needed", "needed[]", "needed ", "n" * 1_000, "number", "code", "self"])
def test_unknown_names_are_refused(name: str) -> None:
    assert list(violations(f"needed=x&{quote(name)}=1")) == [name[:100]]


@pytest.mark.parametrize("query", ["&needed=x&", "needed=x&&", "needed=x"])
def test_empty_pairs_are_nothing(query: str) -> None:
    assert read_query(query)[2] == "x"


def test_the_number_of_violations_reported_is_bounded() -> None:
    with pytest.raises(InvalidParameters) as caught:
        read_query("&".join(f"x{n}" for n in range(1_000)))
    assert len(caught.value.violations) == MOST_VIOLATIONS


@pytest.mark.parametrize("text", [b"%", b"%a", b"%zz", b"a%4", b"%%41", b"%u0041"])
def test_broken_escapes_are_no_text(text: bytes) -> None:
    with pytest.raises(ValueError, match="broken percent escape"):
        percent_decoded(text)


@pytest.mark.parametrize("text", [b"%ff", b"%c0%af", b"%ed%a0%80", b"\xff"])
def test_bytes_that_are_no_utf_8_are_no_text(text: bytes) -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        percent_decoded(text)


@settings(deadline=None)
@given(st.text())
def test_percent_encoding_goes_there_and_back(text: str) -> None:
    if "\0" in text:
        with pytest.raises(ValueError, match="NUL"):
            percent_decoded(quote(text, safe="").encode())
    else:
        assert percent_decoded(quote(text, safe="").encode()) == text


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_text_or_a_reason(text: bytes) -> None:
    try:
        percent_decoded(text).encode()
    except ValueError as error:
        assert str(error)
