"""Strict JSON request bodies: one decoder per operation, compiled at start-up.

Refused with 400 ``malformed-request``: bytes that are not UTF-8 (RFC 3629, overlong forms and
surrogates included), text that is not JSON (RFC 8259), a name twice in one object, nesting deeper
than the decoder goes. Refused with 422 ``invalid-body``: wrong types (no coercion), broken bounds,
unknown members, NUL characters; every violation is named by JSON Pointer, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from governance.contract.problems import Violation
from governance.contract.refusals import InvalidBody, MalformedRequest
from governance.wire.shape import MOST_VIOLATIONS, Found, checker, escape, has_duplicate_names, type_of
from governance.wire.violations import violations

_untyped = msgspec.json.Decoder()
NUL = b"\\u0000"
MOST_NAME = 100
"""Characters of an unknown name that a pointer repeats, so that a refusal is never much longer than its cause."""


def body_decoder(annotation: Any) -> Callable[[bytes], Any]:
    """A function from the body's bytes to a value of ``annotation``.

    The function raises ``MalformedRequest`` or ``InvalidBody``.
    """
    walk = checker(annotation)

    def judge(body: bytes) -> Any:
        raw = parse(body)
        found: Found = []
        members = walk(raw, "", found)
        if has_duplicate_names(body, members):
            raise MalformedRequest(detail="An object of the body has the same name twice.")
        if NUL in body:
            _find_nul(raw, "", found)
        try:
            value = msgspec.convert(raw, annotation)
        except (msgspec.ValidationError, ValueError):
            raise InvalidBody((*violations(raw, annotation), *found)[:MOST_VIOLATIONS]) from None
        if found:
            raise InvalidBody(tuple(found[:MOST_VIOLATIONS]))
        return value

    def decode(body: bytes) -> Any:
        try:
            return judge(body)
        except RecursionError:
            raise MalformedRequest(detail="The body is nested too deeply.") from None

    return decode


def _find_nul(value: Any, pointer: str, found: Found) -> None:
    """Name every string that really holds U+0000: an escaped backslash before ``u0000`` is none."""
    if len(found) >= MOST_VIOLATIONS:
        return
    kind = type_of(value)
    if kind is str and "\0" in value:
        found.append(Violation(pointer=pointer, detail="holds a NUL character (\\u0000)"))
    elif kind is list:
        items: list[Any] = value
        for index, item in enumerate(items):
            _find_nul(item, f"{pointer}/{index}", found)
    elif kind is dict:
        members: dict[str, Any] = value
        for name, item in members.items():
            if "\0" in name:
                found.append(
                    Violation(pointer=pointer, detail="has a member whose name holds a NUL character (\\u0000)")
                )
            _find_nul(item, f"{pointer}/{escape(name[:MOST_NAME])}", found)


def parse(body: bytes) -> Any:
    """The untyped JSON value of ``body``.

    Raises:
        MalformedRequest: the bytes are not UTF-8 or not JSON.
        RecursionError: they are nested too deeply.
    """
    if not body:
        raise MalformedRequest(detail="The body is empty; send a JSON object.")
    try:
        if not body.isascii():
            body.decode()
        return _untyped.decode(body)
    except UnicodeDecodeError as error:
        raise MalformedRequest(detail=f"The body is not UTF-8: a bad byte stands at offset {error.start}.") from None
    except msgspec.ValidationError as error:
        raise MalformedRequest(detail=f"The body is not JSON that can be read: {str(error).lower()}.") from None
    except msgspec.DecodeError as error:
        raise MalformedRequest(detail=f"The body is not JSON: {error}.") from None
