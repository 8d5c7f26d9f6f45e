"""Wrong values: a valid one with exactly one rule of its type broken, for every rule and place.

What the type itself would take is left out, so every fault that is found here must be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct
from msgspec import inspect as kinds

from governance.contract.operation import Parameter
from governance.prove.samples import NoSample, sample_value

Rule = Literal["missing", "unknown", "kind", "pattern", "length", "bound", "step", "choice", "count", "nul"]
NOT_BY_TYPE = ("unknown", "nul")
"""Rules of the wire, which a type does not know."""
TEXTS = ("", "\u00a7", "!?", "a b", "-", "sample text that nothing takes " * 20)
UNKNOWN = "nobody_knows"


class Fault(Struct, frozen=True, kw_only=True):
    """One broken rule."""

    rule: Rule
    place: str
    """Where it is broken, as a JSON Pointer (RFC 6901)."""
    value: Any
    """The whole value with the fault in it."""


def faults(annotation: Any) -> Iterator[Fault]:
    """Every fault of a body of this type; nothing where the type has no sample."""
    try:
        whole = sample_value(annotation, whole=True)
    except NoSample:
        return
    for rule, place, value in _faults(kinds.type_info(annotation), whole):
        if rule in NOT_BY_TYPE or not accepts(annotation, value):
            yield Fault(rule=rule, place=place, value=value)


def wrong_text(parameter: Parameter) -> str | None:
    """A text that a path or query parameter can't have; None where it takes every text."""
    info = kinds.type_info(parameter.type)
    plain = any(
        isinstance(one, (kinds.IntType, kinds.BoolType, kinds.DateType, kinds.DateTimeType)) for one in _kinds(info)
    )
    texts = ("no-such-value",) if plain else TEXTS[1:]
    return next((text for text in texts if not accepts(parameter.type, text)), None)


def accepts(annotation: Any, value: Any) -> bool:
    """Whether the type takes this JSON value."""
    try:
        msgspec.convert(value, annotation)
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _kinds(info: kinds.Type) -> tuple[kinds.Type, ...]:
    """The plain types of a union, or the one that it is."""
    if isinstance(info, kinds.Metadata):
        return _kinds(info.type)
    if isinstance(info, kinds.UnionType):
        return tuple(plain for member in info.types for plain in _kinds(member))
    return (info,)


Found = Iterator[tuple[Rule, str, Any]]


def _faults(info: kinds.Type, value: Any, place: str = "") -> Found:
    for one in _kinds(info):
        match one:
            case kinds.StructType() if isinstance(value, dict):
                yield from _struct(one, cast("dict[str, Any]", value), place)
            case kinds.VarTupleType() if isinstance(value, list):
                yield from _items(one, cast("list[Any]", value), place)
            case kinds.StrType() if isinstance(value, str):
                yield from _texts(one, value, place)
            case kinds.IntType() | kinds.FloatType():
                yield "kind", place, "seven"
                yield from _numbers(one, place)
            case kinds.LiteralType():
                yield "choice", place, UNKNOWN
            case kinds.BoolType():
                yield "kind", place, "yes"
            case kinds.DateType() | kinds.DateTimeType():
                yield "kind", place, "yesterday"
            case _:
                pass


def _struct(info: kinds.StructType, value: dict[str, Any], place: str) -> Found:
    yield "kind", place, [value]
    yield "unknown", place, {**value, UNKNOWN: 1}
    for field in info.fields:
        name = field.encode_name
        if field.required:
            yield "missing", f"{place}/{name}", {key: held for key, held in value.items() if key != name}
        if name in value:
            for rule, where, wrong in _faults(field.type, value[name], f"{place}/{name}"):
                yield rule, where, {**value, name: wrong}


def _items(info: kinds.VarTupleType, value: list[Any], place: str) -> Found:
    yield "kind", place, {}
    if info.min_length:
        yield "count", place, value[: info.min_length - 1]
    if value and info.max_length is not None:
        yield "count", place, value[:1] * (info.max_length + 1)
    if value:
        for rule, where, wrong in _faults(info.item_type, value[0], f"{place}/0"):
            yield rule, where, [wrong, *value[1:]]


def _texts(info: kinds.StrType, value: str, place: str) -> Found:
    yield "kind", place, 7
    yield "nul", place, value + "\0"
    for text in TEXTS if info.pattern else ():
        yield "pattern", place, text
    yield "length", place, "a" * ((info.max_length or 0) + 1)
    yield "length", place, "a" * ((info.min_length or 1) - 1)


def _numbers(info: kinds.IntType | kinds.FloatType, place: str) -> Found:
    for bound, beyond in ((info.ge, -1), (info.le, 1), (info.gt, 0), (info.lt, 0)):
        if bound is not None:
            yield "bound", place, bound + beyond
    if info.multiple_of:
        yield "step", place, info.multiple_of + 1
