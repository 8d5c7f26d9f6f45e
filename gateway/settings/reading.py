"""Strict reading of a table into a frozen Struct, reporting every violation and not only the first.

msgspec stops at the first violation, so the fields are walked here and judged one by one; msgspec
judges the leaves. A leaf's ``Meta(description=…)`` completes the sentence "… is not DESCRIPTION".
"""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from gateway.settings.secrets import Secret, join

S = TypeVar("S", bound=Struct)

WORDS = {int: "a whole number", str: "text in quotes", bool: "true or false", float: "a number"}
UNSHOWN = "the value that it names"


class SettingsError(Exception):
    """The settings are wrong. ``violations`` holds one sentence each, with file and key path."""

    def __init__(self, violations: Iterable[str]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join(self.violations))


def read_section(raw: Mapping[str, Any], kind: type[S], *, file: str, path: str) -> S:
    """The Struct that the table ``raw``, found at ``path`` of ``file``, describes.

    Raises:
        SettingsError: with every violation in it.
    """
    violations = judge(raw, kind, path)
    if not violations:
        try:
            return msgspec.convert(raw, kind, strict=True)
        except msgspec.ValidationError as error:  # a rule over several fields, from __post_init__
            violations = [(f"{path}:", f"{str(error).split(' - at ')[0].rstrip('.')}.")]
    raise SettingsError(sentence(file, where, what) for where, what in violations)


def judge(raw: Mapping[str, Any], kind: type[Struct], path: str) -> list[tuple[str, str]]:
    """Every violation of ``raw`` against ``kind`` as pairs of key path and sentence."""
    found: list[tuple[str, str]] = []
    hints = get_type_hints(kind, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        if key in fields:
            found += _judge_value(value, hints[fields[key].name], join(path, key))
        else:
            found.append((join(path, key), unknown(key, fields)))
    for key, field in fields.items():
        if key not in raw and field.default is NODEFAULT and field.default_factory is NODEFAULT:
            found.append((join(path, key), "is missing."))
    return found


def unknown(key: str, known: Iterable[str]) -> str:
    """The sentence about a key that nothing reads."""
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    return f"is not a setting; did you mean {close[0]}?" if close else "is not a setting."


def sentence(file: str, path: str, what: str) -> str:
    """One complete sentence: where, then what."""
    return f"{file}: {path} {what}" if path else f"{file} {what}"


def _judge_value(value: Any, kind: Any, path: str) -> list[tuple[str, str]]:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    origin, arguments = get_origin(bare), get_args(bare)
    if isinstance(bare, type) and issubclass(bare, Struct) and isinstance(value, dict):
        return judge(cast("dict[str, Any]", value), bare, path)
    if origin in (dict, Mapping) and isinstance(value, dict) and arguments[1] is not Any:
        table = cast("dict[str, Any]", value)
        return [one for key, item in table.items() for one in _judge_value(item, arguments[1], join(path, key))]
    if origin is tuple and isinstance(value, list) and arguments[1:] == (...,):
        items = cast("list[Any]", value)
        found = [one for at, item in enumerate(items) for one in _judge_value(item, arguments[0], f"{path}[{at}]")]
        if found:
            return found
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError:
        given = UNSHOWN if isinstance(value, Secret) else _spelled(value)
        return [(path, f"must be {_wanted(kind)}, not {given}.")]
    return []


def _wanted(kind: Any) -> str:
    if get_origin(kind) is Annotated:
        bare, *notes = get_args(kind)
        metas = [note for note in notes if isinstance(note, Meta)]
        return next(filter(_completes, (meta.description or "" for meta in metas)), "") or _bounded(bare, metas)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"a list, each of it {_wanted(arguments[0])}"
    if origin in (Union, types.UnionType):
        return " or ".join(_wanted(one) for one in arguments if one is not type(None))
    return WORDS.get(kind, "a table")


def _completes(description: str) -> bool:
    """Whether "must be" can stand before it: a phrase, not a sentence of its own."""
    return description[:1].islower() and not description.endswith(".")


def _bounded(bare: Any, metas: Iterable[Meta]) -> str:
    phrases = [
        f"{words} {bound}"
        for meta in metas
        for words, bound in (
            ("from", meta.ge),
            ("above", meta.gt),
            ("to" if meta.ge is not None else "up to", meta.le),
            ("below", meta.lt),
            ("with at least this many parts:", meta.min_length),
            ("with at most this many parts:", meta.max_length),
            ("that matches", meta.pattern),
        )
        if bound is not None
    ]
    return " ".join([_wanted(bare), *phrases])


def _spelled(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "such a list" if value else "an empty list"
        case str():
            return f'"{value}"'
        case _:
            return str(value)
