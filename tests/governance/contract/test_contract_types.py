"""What the types in a contract must be, each rule broken once, with the sentence that is told."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from governance.contract import (
    Page,
    action,
    read,
)
from tests.governance.contract.rules import (
    PUBLIC,
    Body,
    Boxed,
    Counted,
    Deep,
    HalfBounded,
    Listing,
    Thawed,
    WithList,
    declare,
    refused,
)


@pytest.mark.parametrize("result", [Thawed, tuple[Thawed, ...], Thawed | None, Boxed[Thawed], Page[Thawed]])
def test_structs_are_frozen(result: Any) -> None:
    async def method(self: object) -> Any: ...

    method.__annotations__["return"] = result
    refused(read("/things", **PUBLIC), method, "Thawed is not frozen: write frozen=True")


@pytest.mark.parametrize("result", [Listing, Deep, list[str], dict[str, str], Boxed[list[str]], Boxed[set[str]]])
def test_structs_hold_tuples(result: Any) -> None:
    async def method(self: object) -> Any: ...

    method.__annotations__["return"] = result
    refused(read("/things", **PUBLIC), method, "hold a tuple, so that the local binding can pass it on")


def test_members_of_refusals_are_immutable_too() -> None:
    async def method(self: object) -> Body: ...

    refused(read("/things", raises=[WithList], **PUBLIC), method, "WithList.*hold a tuple")


@pytest.mark.parametrize("body", [Counted, HalfBounded, Boxed[int], Boxed[tuple[Counted, ...]]])
def test_whole_numbers_of_requests_have_bounds(body: Any) -> None:
    async def method(self: object, body: Any) -> Body: ...

    method.__annotations__["body"] = body
    refused(action("/things", **PUBLIC), method, "is an int without bounds")


def test_whole_numbers_of_query_parameters_have_bounds() -> None:
    async def method(self: object, count: int = 1) -> Body: ...

    refused(read("/things", **PUBLIC), method, "parameter count is an int without bounds")


@pytest.mark.parametrize("result", [Counted, Boxed[int], Literal["a", "b"], tuple[Body, ...]])
def test_results_may_hold_any_whole_number_and_tuples(result: Any) -> None:
    async def method(self: object) -> Any:
        """A sample."""

    method.__annotations__["return"] = result
    assert declare(read("/things", **PUBLIC)(method))
