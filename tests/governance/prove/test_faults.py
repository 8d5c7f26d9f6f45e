"""A fault breaks exactly what it says, and everything that a type demands is broken once."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from governance.contract import Parameter
from governance.prove.faults import NOT_BY_TYPE, faults, wrong_text
from tests.governance.prove.sample_desk import AccountId, Desk


class Rules(Struct, frozen=True, kw_only=True):
    code: Annotated[str, Meta(pattern="^[A-Z]{2}$", examples=["AB"])]
    note: Annotated[str, Meta(min_length=2, max_length=5)] = "abc"
    count: Annotated[int, Meta(ge=2, le=8, multiple_of=2)] = 2
    size: Literal["small", "wide"] = "small"
    parent: Annotated[str, Meta(pattern="^P[0-9]$", examples=["P1"])] | None = None
    parts: Annotated[tuple[int, ...], Meta(min_length=1, max_length=2)] = (1,)


@pytest.mark.parametrize("annotation", [Rules, Desk])
def test_no_type_takes_its_own_faults(annotation: Any) -> None:
    for fault in faults(annotation):
        if fault.rule not in NOT_BY_TYPE:
            with pytest.raises((msgspec.ValidationError, ValueError)):
                msgspec.convert(fault.value, annotation)


def test_every_rule_of_a_type_is_broken_at_its_place() -> None:
    found = {(fault.rule, fault.place) for fault in faults(Rules)}
    assert found >= {
        ("missing", "/code"),
        ("unknown", ""),
        ("kind", ""),
        ("kind", "/code"),
        ("pattern", "/code"),
        ("length", "/note"),
        ("bound", "/count"),
        ("step", "/count"),
        ("choice", "/size"),
        ("count", "/parts"),
        ("kind", "/parts/0"),
        ("nul", "/note"),
        ("pattern", "/parent"),
    }
    assert ("missing", "/note") not in found


def test_bounds_are_broken_by_one() -> None:
    values = [fault.value["count"] for fault in faults(Rules) if fault.rule == "bound"]
    assert values == [1, 9]
    lengths = {len(fault.value["note"]) for fault in faults(Rules) if fault.rule == "length" and fault.place == "/note"}
    assert lengths == {1, 6}
    counts = [len(fault.value["parts"]) for fault in faults(Rules) if fault.rule == "count"]
    assert counts == [0, 3]


@pytest.mark.parametrize(
    ("annotation", "text"), [(int, "no-such-value"), (bool, "no-such-value"), (AccountId, "\u00a7"), (str, None)]
)
def test_a_parameter_gets_a_text_that_it_can_not_have(annotation: Any, text: str | None) -> None:
    assert wrong_text(Parameter(name="one", where="query", type=annotation)) == text
