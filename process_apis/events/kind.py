"""Kinds of events: a type's word, its version, and the Struct that its data is.

A kind that was published never changes: what says more or something else is a new version beside it.
``openapi/events/`` holds the schema of each, and the check of the contracts compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from msgspec import Struct

from governance.contract import ContractError
from process_apis.events.event import NewEvent

Data = TypeVar("Data", bound=Struct)
WORD = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*\Z")

_kinds: dict[tuple[str, int], type[Struct]] = {}
_names: dict[type[Struct], tuple[str, int]] = {}
KINDS: Mapping[tuple[str, int], type[Struct]] = MappingProxyType(_kinds)
"""Type and version to the Struct of the data, of every family that was imported."""


def kind(word: str, version: int = 1) -> Callable[[type[Data]], type[Data]]:
    """Make a frozen Struct the data of ``word``, such as ``order.accepted``; its docstring says what happened.

    Raises:
        ContractError: the word is badly shaped or taken, or the Struct is not frozen or says nothing.
    """

    def declare(struct: type[Data]) -> type[Data]:
        where = f"{struct.__module__}.{struct.__qualname__}"
        if not WORD.match(word):
            raise ContractError(f"{where}: {word!r} must read like order.accepted.")
        if not struct.__struct_config__.frozen or not (struct.__doc__ or "").strip():
            raise ContractError(f"{where}: write frozen=True, and a docstring that says what happened.")
        if (other := _kinds.setdefault((word, version), struct)) is not struct:
            raise ContractError(f"{where}: {word} version {version} is {other.__module__}.{other.__qualname__}.")
        _names[struct] = (word, version)
        return struct

    return declare


def kind_of(struct: type[Struct]) -> tuple[str, int]:
    """The type and version that a Struct is the data of.

    Raises:
        KeyError: it is the data of none.
    """
    return _names[struct]


def happened(
    data: Struct, *, subject: str, account_id: str | None, source: str = "/process", source_id: str | None = None
) -> NewEvent:
    """The event that ``data`` tells of.

    What a system of record tells as well as the flow has the record's name as source id, such as
    ``of_record(data, "INV-1")``: whoever tells it first is heard.
    """
    word, version = kind_of(type(data))
    return NewEvent(
        type=word,
        version=version,
        subject=subject,
        account_id=account_id,
        data=data,
        source=source,
        source_id=source_id,
    )


def of_record(data: Struct, record_id: str) -> str:
    """The source id of what happens to a record once in its life."""
    return f"{kind_of(type(data))[0]}:{record_id}"
