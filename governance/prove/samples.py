"""A valid value of every contract type: always the same one, as small as the type allows.

An example that the type itself states comes first (``Meta(examples=[…])``). What is found is held
against the type, so a sample is valid or is refused here with a sentence, never by a gateway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
from msgspec import inspect as kinds

INSTANT = "2026-01-01T00:00:00Z"
DAY = "2026-01-01"
TEXTS = ("sample", "a", "1", "A", "AA", "AAA", "a-1", "a.b", "a@b.example", "https://a.example")
"""What is tried for a pattern without an example."""


class NoSample(Exception):
    """No valid value was found for a type: state an example of it."""


def sample_value(annotation: Any) -> Any:
    """A JSON value that ``annotation`` accepts.

    Raises:
        NoSample: none was found; the sentence says for what.
    """
    info = kinds.type_info(annotation)
    reason = ""
    for whole in (False, True):
        value = _sample(info, whole=whole)
        try:
            msgspec.convert(value, annotation)
        except (msgspec.ValidationError, ValueError) as error:
            reason = str(error)
        else:
            return value
    raise NoSample(f"{annotation}: no valid sample was found ({reason}); give its type an example.")


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
