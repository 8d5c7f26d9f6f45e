"""Samples are valid, small and always the same."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from governance.prove import NoSample, sample_value
from tests.governance.prove.sample_desk import Desk


class Span(Struct, frozen=True, kw_only=True):
    """One of the two must be there."""

    first: int | None = None
    last: int | None = None

    def __post_init__(self) -> None:
        if self.first is None and self.last is None:
            raise ValueError("name first or last")


class Impossible(Struct, frozen=True):
    """Refuses everything."""

    name: str

    def __post_init__(self) -> None:
        raise ValueError("never right")


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (str, "sample"),
        (bool, True),
        (None, None),
        (int | None, 1),
        (date, "2026-01-01"),
        (datetime, "2026-01-01T00:00:00Z"),
        (Literal["b", "a"], "a"),
        (tuple[int, ...], []),
        (tuple[int, str], [1, "sample"]),
        (Annotated[tuple[int, ...], Meta(min_length=2)], [1, 1]),
        (Annotated[int, Meta(ge=5)], 5),
        (Annotated[int, Meta(gt=5)], 6),
        (Annotated[int, Meta(le=-3)], -3),
        (Annotated[int, Meta(ge=4, multiple_of=3)], 6),
        (Annotated[float, Meta(ge=0.5, lt=2.0)], 1),
        (Annotated[str, Meta(max_length=3)], "a"),
        (Annotated[str, Meta(min_length=200)], "a" * 200),
        (Annotated[str, Meta(pattern=r"^[A-Z]{2}$")], "AA"),
        (Annotated[str, Meta(pattern=r"^Q[0-9]+$", examples=["Q7"])], "Q7"),
        (Span, {"first": 1, "last": 1}),
        (Desk, {"account_id": "ACME", "size": "small", "holds": [{"kind": "lamp", "watts": 5}]}),
    ],
)
def test_a_sample_is_the_smallest_valid_value(annotation: Any, value: Any) -> None:
    assert sample_value(annotation) == value
    msgspec.convert(value, annotation)


def test_a_pattern_without_an_example_asks_for_one() -> None:
    with pytest.raises(NoSample, match="give the type an example"):
        sample_value(Annotated[str, Meta(pattern=r"^Q[0-9]+$")])


def test_what_refuses_every_sample_is_named() -> None:
    with pytest.raises(NoSample, match=r"Impossible.*never right"):
        sample_value(Impossible)


def test_what_no_contract_holds_has_no_sample() -> None:
    with pytest.raises(NoSample, match="other types"):
        sample_value(set[int])
