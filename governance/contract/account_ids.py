"""Finding account ids in arguments and results: compiled once per operation from the types.

A named field is found on a Struct, and one level below it: on a Struct that it holds, or on the
Structs of a tuple that it holds. So a page is covered by its items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, cast

import msgspec
from msgspec import UNSET, inspect

from governance.contract.operation import Parameter

Reader = Callable[[Any], list[Any]]
"""From a value to every account id in it; None among them where a field is empty."""


def argument_reader(parameter: Parameter, fields: tuple[str, ...]) -> Reader | None:
    """What finds the account ids in one argument, or None where none can be in it.

    An argument that is left out names no account, so empty ones are not among what is found.
    """
    if parameter.name in fields:
        return lambda value: [one for one in _flat(value) if one is not None]
    found = result_reader(parameter.type, fields)
    if found is None:
        return None
    read = found
    return lambda value: [] if value is None else [one for one in read(value) if one is not None]


def result_reader(annotation: Any, fields: tuple[str, ...]) -> Reader | None:
    """What finds the account ids in a value of this type, or None where none can be in it."""
    members = _members(annotation)
    own = tuple(name for name in fields if any(name in _names(member) for member in members))
    below = tuple(sorted({place for member in members for place in _below(member, fields)}))
    if not own and not below:
        return None

    def read(value: Any) -> list[Any]:
        found = [one for name in own for one in _flat(getattr(value, name, None))]
        for place, name in below:
            held = getattr(value, place, None)
            items: Iterable[Any] = (held,) if isinstance(held, msgspec.Struct) else _several(held)
            found += [one for item in items for one in _flat(getattr(item, name, None))]
        return found

    return read


@lru_cache(maxsize=2_048)
def _members(annotation: Any) -> tuple[inspect.StructType, ...]:
    return tuple(_structs(inspect.type_info(annotation)))  # it looks at whole types anew, and every operation asks


def _flat(value: Any) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return cast("tuple[Any, ...]", value)
    return (None,) if value is UNSET else (value,)


def _several(value: Any) -> tuple[Any, ...]:
    return cast("tuple[Any, ...]", value) if isinstance(value, tuple) else ()


def _names(struct: inspect.StructType) -> set[str]:
    return {field.name for field in struct.fields}


def _below(struct: inspect.StructType, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for field in struct.fields:
        if field.name in fields:
            continue
        for member in _structs(field.type, into_tuples=True):
            yield from ((field.name, name) for name in fields if name in _names(member))


def _structs(kind: inspect.Type, *, into_tuples: bool = False) -> Iterator[inspect.StructType]:
    if isinstance(kind, inspect.StructType):
        yield kind
    elif isinstance(kind, inspect.Metadata):
        yield from _structs(kind.type, into_tuples=into_tuples)
    elif isinstance(kind, inspect.UnionType):
        for member in kind.types:
            yield from _structs(member, into_tuples=into_tuples)
    elif into_tuples and isinstance(kind, inspect.VarTupleType):
        yield from _structs(kind.item_type)
    elif into_tuples and isinstance(kind, inspect.TupleType):
        for member in kind.item_types:
            yield from _structs(member)
