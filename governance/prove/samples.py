"""Valid values of every contract type: always the same one, as small as the type allows, and another beside it.

An example that the type itself states comes first (``Meta(examples=[…])``). What is found is held
against the type, so a sample is valid or is refused here with a sentence, never by a gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, cast

import msgspec
from msgspec import inspect as kinds

INSTANT = "2026-01-01T00:00:00Z"
DAY = "2026-01-01"
OTHER_INSTANT = "2026-01-02T00:00:00Z"
OTHER_DAY = "2026-01-02"
TEXTS = ("sample", "a", "1", "A", "AA", "AAA", "a-1", "a.b", "a@b.example", "https://a.example")
"""What is tried for a pattern without an example."""


class NoSample(Exception):
    """No valid value was found for a type: state an example of it."""


def sample_value(annotation: Any, *, whole: bool = False) -> Any:
    """A JSON value that ``annotation`` accepts; ``whole`` prefers one with all optional members.

    Raises:
        NoSample: none was found; the sentence says for what.
    """
    info = kinds.type_info(annotation)
    reason = ""
    for filled in (whole, not whole):
        value = _sample(info, whole=filled)
        try:
            msgspec.convert(value, annotation)
        except (msgspec.ValidationError, ValueError) as error:
            reason = str(error)
        else:
            return value
    raise NoSample(f"{annotation}: no valid sample was found ({reason}); give its type an example.")


def other_value(annotation: Any, value: Any, kept: Iterable[str] = ()) -> Any:
    """A JSON value that ``annotation`` accepts and that differs from ``value``, though in no member named in ``kept``.

    Raises:
        NoSample: none was found.
    """
    for other in _others(kinds.type_info(annotation), value, frozenset(kept)):
        if other != value and _accepts(annotation, other):
            return other
    raise NoSample(f"{annotation}: no other valid value was found.")


def _accepts(annotation: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, annotation)
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _others(info: kinds.Type, value: Any, kept: frozenset[str]) -> Iterator[Any]:
    match info:
        case kinds.Metadata():
            yield from _others(info.type, value, kept)
        case kinds.UnionType():
            for member in info.types:
                yield from _others(member, value, kept)
        case kinds.StructType() if isinstance(value, dict):
            yield from _other_members(info, cast("dict[str, Any]", value), kept)
        case kinds.VarTupleType() if isinstance(value, list):
            items = cast("list[Any]", value)
            for index, item in enumerate(items):
                yield from (
                    [*items[:index], other, *items[index + 1 :]] for other in _others(info.item_type, item, kept)
                )
        case _:
            yield from _other_scalars(info, value)


def _other_members(info: kinds.StructType, value: dict[str, Any], kept: frozenset[str]) -> Iterator[Any]:
    for field in info.fields:
        if field.name not in kept:
            held = value.get(field.encode_name, _sample(field.type, whole=False))
            yield from ({**value, field.encode_name: other} for other in (held, *_others(field.type, held, kept)))


def _other_scalars(info: kinds.Type, value: Any) -> Iterator[Any]:
    match info:
        case kinds.LiteralType():
            yield from info.values
        case kinds.IntType() | kinds.FloatType():
            yield from (value + 1, value - 1, value * 2, 0, 1, 100) if isinstance(value, (int, float)) else (1, 100)
        case kinds.StrType():
            yield from _other_texts(value)
        case kinds.BoolType():
            yield not value
        case kinds.DateType() | kinds.DateTimeType():
            yield from (OTHER_DAY, OTHER_INSTANT)
        case _:
            pass


def _other_texts(value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else ""
    for old, new in (("1", "2"), ("0", "1"), ("A", "B"), ("a", "b"), ("e", "i")):
        if old in text:
            head, _, tail = text.rpartition(old)
            yield head + new + tail
    yield from (text + "1", text + "a", text[:-1], *TEXTS)


def _sample(info: kinds.Type, *, whole: bool) -> Any:
    """``whole`` fills optional members too, for Structs that demand one of several."""
    match info:
        case kinds.Metadata():
            stated = cast("dict[str, Any]", info.extra_json_schema or {})  # pyright: ignore[reportUnknownMemberType] - untyped there
            return stated["examples"][0] if stated.get("examples") else _sample(info.type, whole=whole)
        case kinds.StructType():
            return dict(_members(info, whole=whole))
        case kinds.UnionType():
            kind = next(one for one in info.types if not isinstance(one, kinds.NoneType))
            return _sample(kind, whole=whole)
        case kinds.VarTupleType():
            length = max(info.min_length or 0, int(whole))
            return [_sample(info.item_type, whole=whole) for _ in range(length)]
        case kinds.TupleType():
            return [_sample(item, whole=whole) for item in info.item_types]
        case kinds.LiteralType():
            return info.values[0]
        case _:
            return _scalar(info)


def _members(info: kinds.StructType, *, whole: bool) -> Iterator[tuple[str, Any]]:
    if info.tag_field is not None:
        yield info.tag_field, info.tag
    for field in info.fields:
        if field.required or whole:
            yield field.encode_name, _sample(field.type, whole=whole)


def _scalar(info: kinds.Type) -> Any:
    match info:
        case kinds.StrType():
            return _text(info)
        case kinds.IntType() | kinds.FloatType():
            return _number(info)
        case kinds.BoolType():
            return True
        case kinds.NoneType():
            return None
        case kinds.DateTimeType():
            return INSTANT
        case kinds.DateType():
            return DAY
        case _:
            raise NoSample(f"{info}: a contract's values are of other types.")


def _text(info: kinds.StrType) -> str:
    shortest, longest = info.min_length or 0, info.max_length
    for text in (*TEXTS, "a" * shortest):
        fits = shortest <= len(text) and (longest is None or len(text) <= longest)
        if fits and (info.pattern is None or re.search(info.pattern, text)):
            return text
    raise NoSample(f"{info.pattern}: give the type an example.")


def _number(info: kinds.IntType | kinds.FloatType) -> int | float:
    value: int | float = 1
    if info.le is not None or info.lt is not None:
        value = min(value, info.le if info.le is not None else cast("float", info.lt) - 1)
    if info.ge is not None or info.gt is not None:
        value = max(value, info.ge if info.ge is not None else cast("float", info.gt) + 1)
    step = info.multiple_of
    return value if step is None else -(-value // step) * step
