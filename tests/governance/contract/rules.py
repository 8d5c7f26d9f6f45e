"""What the tests of the contract language's rules are made of: Structs, refusals and a contract to break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Protocol, TypeVar

import pytest
from msgspec import Meta, Struct

from governance.contract import (
    Contract,
    ContractError,
    Problem,
    Refusal,
    read,
)

PUBLIC: dict[str, Any] = {"scope": "sample.things:read", "public_because": "A sample."}
Thing = TypeVar("Thing")


class Body(Struct, frozen=True):
    account_id: str


class Other(Struct, frozen=True):
    name: str


class Thawed(Struct):
    name: str


class Listing(Struct, frozen=True):
    names: list[str]


class Deep(Struct, frozen=True):
    inner: tuple[Listing | None, ...]


class Boxed(Struct, Generic[Thing], frozen=True):
    thing: Thing


class Counted(Struct, frozen=True):
    count: int


class HalfBounded(Struct, frozen=True):
    count: Annotated[int, Meta(ge=0)]


class NotBusiness(Problem, status=400, type="not-business", title="Not business."):
    """Answered by a gateway."""


class WithList(Refusal, status=409, type="with-list", title="With a list."):
    """Holds what it must not."""

    names: list[str]


def declare(method: Callable[..., Any], **class_line: Any) -> type[Any]:
    """A contract class with one method."""
    members = {"__doc__": "A sample.", "__module__": __name__, "method": method}
    line = {"owner": "Tests", "folder": "system_apis.sample.v1", **class_line}
    made: Any = type(Contract)
    return made("SampleV1", (Contract, Protocol), members, **line)


def thing() -> Any:
    @read("/things", **PUBLIC)
    async def method(self: object) -> Body:
        """A thing."""
        raise NotImplementedError

    return method


def refused(decorator: Callable[[Any], Any], method: Callable[..., Any], sentence: str) -> None:
    if method.__doc__ is None:
        method.__doc__ = "A sample."
    with pytest.raises(ContractError, match=sentence) as told:
        declare(decorator(method))
    assert str(told.value).endswith(".")
