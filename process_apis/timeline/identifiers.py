"""The business ids that a flow's record names: every member called ``…_id``, ``…_ids`` or ``…reference``.

So a new flow is found by its documents' numbers without being known here. Accounts and people are
no ids of a flow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec
from msgspec import Struct

ELSEWHERE = frozenset({"account_id", "client_id", "contact_id", "parent_id", "tax_id", "user_id"})
"""Members that name no document of the flow."""
LONGEST = 255
KEY = "idempotency_key"


class BusinessId(Struct, frozen=True, kw_only=True, order=True):
    """A number by which people or systems call a part of a flow; ``kind`` such as ``invoice`` or ``reference``."""

    kind: str
    value: str


def business_ids_of(state: Any) -> tuple[BusinessId, ...]:
    """The ids in a flow's record, each once."""
    return tuple(sorted(set(_walked(msgspec.to_builtins(state)))))


def _walked(value: Any) -> Iterator[BusinessId]:
    if isinstance(value, dict):
        for name, member in cast("dict[str, Any]", value).items():
            kind = _kind(name)
            if kind:
                yield from (BusinessId(kind=kind, value=one) for one in _texts(member))
            else:
                yield from _walked(member)
    elif isinstance(value, list | tuple):
        for member in cast("list[Any]", value):
            yield from _walked(member)


def _kind(name: str) -> str:
    if name in ELSEWHERE:
        return ""
    for ending in ("_ids", "_id"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name if name == "reference" or name.endswith("_reference") else ""


def _texts(value: Any) -> Iterator[str]:
    for one in cast("list[Any]", value) if isinstance(value, list | tuple) else (value,):
        if isinstance(one, str) and 0 < len(one) <= LONGEST:
            yield one
