"""Every violation of a refused value, each with a JSON Pointer.

Runs only when typed decoding has refused: it walks value and type side by side and lets msgspec
judge each leaf, so what is reported is what the decoder itself holds to.
"""

from __future__ import annotations

import re
import types
import typing
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import fields as struct_members

from governance.contract.problems import Violation
from governance.wire.shape import ABSENT, MOST_VIOLATIONS, Found, escape

UNKNOWN_MEMBER = "Object contains unknown field"
"""What msgspec says of closed Structs; the shape walk has named the member already."""
PATH = re.compile(r" - at `\$(?:\[\.\.\.\]|[^`]*)`\Z")


def violations(value: Any, annotation: Any, pointer: str = "") -> tuple[Violation, ...]:
    """What is wrong with ``value`` (decoded JSON) as ``annotation``; at most ``MOST_VIOLATIONS``."""
    found: Found = []
    _visit(value, annotation, pointer, found)
    return tuple(found[:MOST_VIOLATIONS])


def reason(error: Exception) -> str:
    """What msgspec says, without its own path, in lower case where it joins ours."""
    text = PATH.sub("", str(error)).replace("`", "")
    return text[:1].lower() + text[1:]


def _visit(value: Any, annotation: Any, pointer: str, found: Found) -> None:
    if len(found) >= MOST_VIOLATIONS:
        return
    plain = get_args(annotation)[0] if get_origin(annotation) is typing.Annotated else annotation
    origin = get_origin(plain) or plain
    before = len(found)
    if origin in (typing.Union, types.UnionType):
        _visit_union(value, plain, annotation, pointer, found)
    elif origin is tuple and type(value) is list:
        _visit_items(value, plain, pointer, found)
    elif isinstance(origin, type) and issubclass(origin, Struct) and type(value) is dict:
        _visit_members(value, plain, pointer, found)
    if len(found) == before:
        _judge(value, annotation, pointer, found)


def _visit_union(value: Any, plain: Any, annotation: Any, pointer: str, found: Found) -> None:
    members = [member for member in get_args(plain) if member not in ABSENT]
    if value is not None and len(members) == 1:
        _visit(value, members[0], pointer, found)


def _visit_items(value: Any, plain: Any, pointer: str, found: Found) -> None:
    parts = get_args(plain)
    if len(parts) == 2 and parts[1] is Ellipsis:
        for index, item in enumerate(value):
            _visit(item, parts[0], f"{pointer}/{index}", found)


def _visit_members(value: Any, plain: Any, pointer: str, found: Found) -> None:
    for field in struct_members(plain):
        place = f"{pointer}/{escape(field.encode_name)}"
        if field.encode_name in value:
            _visit(value[field.encode_name], field.type, place, found)
        elif field.required:
            found.append(Violation(pointer=place, detail="is required"))


def _judge(value: Any, annotation: Any, pointer: str, found: Found) -> None:
    try:
        msgspec.convert(value, annotation)
    except (msgspec.ValidationError, ValueError) as error:
        if str(error).startswith(UNKNOWN_MEMBER):
            return
        found.append(Violation(pointer=pointer, detail=reason(error)))
