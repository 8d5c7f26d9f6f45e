"""Shape checks that typed decoding does not make: unknown members, duplicate names, stray line feeds.

A checker is compiled once per type. It walks the untyped value beside the type, names every member
that the request's Struct does not have, and counts all members on its way: together with the
colons of the text that count tells whether a name came twice (RFC 8259 §4: names SHOULD be unique;
here they must be).
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin

from msgspec import Struct, UnsetType
from msgspec.structs import fields as struct_members

from governance.contract.problems import Violation
from governance.wire.patterns import has_pattern, stray_line_feed

Found = list[Violation]
Walk = Callable[[Any, str, Found], int]

STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
MOST_VIOLATIONS = 50
type_of: Callable[[Any], type[Any]] = type
"""The class of an untyped value, without narrowing the value to containers of unknown things."""
ABSENT = (types.NoneType, UnsetType)
"""Members of a union that stand for no value."""


def escape(token: str) -> str:
    """One reference token of a JSON Pointer (RFC 6901 §3)."""
    return token.replace("~", "~0").replace("/", "~1")


def has_duplicate_names(text: bytes, members: int) -> bool:
    """Whether an object of ``text`` has a name twice, given the count of members after decoding."""
    if text.count(b":") == members:
        return False
    return STRING.sub(b"", text).count(b":") != members


def checker(annotation: Any) -> Walk:
    """The walk that reports what ``annotation`` does not know and returns how many members it met."""
    return _Compiler().walk(annotation)


def count_members(value: Any) -> int:
    """How many object members a decoded JSON value holds, at all depths."""
    kind = type_of(value)
    if kind is dict:
        members: dict[str, Any] = value
        return len(members) + sum(count_members(item) for item in members.values())
    if kind is list:
        items: list[Any] = value
        return sum(count_members(item) for item in items)
    return 0


def _untyped(value: Any, pointer: str, found: Found) -> int:
    return count_members(value)


def _leaf(value: Any, pointer: str, found: Found) -> int:
    return count_members(value) if type(value) in (dict, list) else 0


def _patterned(annotation: Any) -> Walk:
    wrong_end = stray_line_feed(annotation)

    def text(value: Any, pointer: str, found: Found) -> int:
        if type_of(value) is not str:
            return count_members(value)
        if (wrong := wrong_end(value)) and len(found) < MOST_VIOLATIONS:
            found.append(Violation(pointer=pointer, detail=wrong))
        return 0

    return text


class _Compiler:
    """Compiles the walks of one type tree; a recursive type refers to its own walk."""

    def __init__(self) -> None:
        self._structs: dict[Any, Walk] = {}

    def walk(self, annotation: Any) -> Walk:
        if has_pattern(annotation):
            return _patterned(annotation)
        plain = get_args(annotation)[0] if get_origin(annotation) is typing.Annotated else annotation
        origin = get_origin(plain) or plain
        if origin in (typing.Union, types.UnionType):
            members = [member for member in get_args(plain) if member not in ABSENT]
            walks = [self.walk(member) for member in members]
            if len(members) > 1 and all(_tag_of(member) is not None for member in members):
                return _by_tag({_tag_of(member): walk for member, walk in zip(members, walks, strict=True)}, members[0])
            return walks[0] if len(walks) == 1 else _leaf if all(walk is _leaf for walk in walks) else _untyped
        if origin is tuple:
            return self._sequence(get_args(plain))
        if isinstance(origin, type) and issubclass(origin, Struct):
            return self._struct(plain, origin)
        return _leaf

    def _sequence(self, parts: tuple[Any, ...]) -> Walk:
        if len(parts) != 2 or parts[1] is not Ellipsis:
            return _untyped
        each = self.walk(parts[0])

        def sequence(value: Any, pointer: str, found: Found) -> int:
            kind = type_of(value)
            if kind is not list:
                return count_members(value)
            items: list[Any] = value
            return sum(each(item, f"{pointer}/{index}", found) for index, item in enumerate(items))

        return sequence

    def _struct(self, plain: Any, struct: type[Struct]) -> Walk:
        if plain in self._structs:
            return lambda value, pointer, found: self._structs[plain](value, pointer, found)
        known: dict[str, Walk] = {}
        self._structs[plain] = _object(known)
        if struct.__struct_config__.tag_field is not None:
            known[struct.__struct_config__.tag_field] = _leaf
        for field in struct_members(plain):
            known[field.encode_name] = self.walk(field.type)
        return self._structs[plain]


def _tag_of(annotation: Any) -> str | int | None:
    """The word by which a Struct is told from the others of its union; None for what has none."""
    struct = get_origin(annotation) or annotation
    return struct.__struct_config__.tag if isinstance(struct, type) and issubclass(struct, Struct) else None


def _by_tag(walks: dict[str | int | None, Walk], one: Any) -> Walk:
    """The walk of the Struct that the value's own tag names; a tag that names none is refused by decoding."""
    tag_field: str = (get_origin(one) or one).__struct_config__.tag_field

    def tagged(value: Any, pointer: str, found: Found) -> int:
        kind = type_of(value)
        if kind is not dict:
            return count_members(value)
        given: dict[str, Any] = value
        tag = given.get(tag_field)
        walk = walks.get(tag) if isinstance(tag, str | int) else None
        return count_members(value) if walk is None else walk(value, pointer, found)

    return tagged


def _object(known: dict[str, Walk]) -> Walk:
    def members(value: Any, pointer: str, found: Found) -> int:
        kind = type_of(value)
        if kind is not dict:
            return count_members(value)
        given: dict[str, Any] = value
        count = len(given)
        for name, item in given.items():
            walk = known.get(name)
            if walk is None:
                if len(found) < MOST_VIOLATIONS:
                    found.append(
                        Violation(pointer=f"{pointer}/{escape(name)}", detail="is not a member of this request")
                    )
                count += count_members(item)
            elif walk is not _leaf or type(item) in (dict, list):
                count += walk(item, f"{pointer}/{escape(name)}", found)
        return count

    return members
