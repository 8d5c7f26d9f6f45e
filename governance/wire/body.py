"""Strict JSON request bodies: one decoder per operation, compiled at start-up.

Refused with 400 ``malformed-request``: bytes that are not UTF-8 (RFC 3629, overlong forms and
surrogates included), text that is not JSON (RFC 8259), a name twice in one object, nesting deeper
than the decoder goes. Refused with 422 ``invalid-body``: wrong types (no coercion), broken bounds,
unknown members, NUL characters; every violation is named by JSON Pointer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from governance.contract.problems import Violation
from governance.contract.refusals import InvalidBody, MalformedRequest
from governance.wire.shape import Found, checker, has_duplicate_names
from governance.wire.violations import violations

_untyped = msgspec.json.Decoder()
NUL = b"\\u0000"


def body_decoder(annotation: Any) -> Callable[[bytes], Any]:
    """A function from the body's bytes to a value of ``annotation``.

    The function raises ``MalformedRequest`` or ``InvalidBody``.
    """
    walk = checker(annotation)

    def decode(body: bytes) -> Any:
        raw = parse(body)
        found: Found = []
        members = walk(raw, "", found)
        if has_duplicate_names(body, members):
            raise MalformedRequest(detail="An object of the body has the same name twice.")
        if NUL in body:
            found.append(Violation(pointer="", detail="holds a NUL character (\\u0000)"))
        try:
            value = msgspec.convert(raw, annotation)
        except (msgspec.ValidationError, ValueError):
            raise InvalidBody((*violations(raw, annotation), *found)) from None
        if found:
            raise InvalidBody(tuple(found))
        return value

    return decode


def parse(body: bytes) -> Any:
    """The untyped JSON value of ``body``.

    Raises:
        MalformedRequest: the bytes are not UTF-8, not JSON, or nested too deeply.
    """
    if not body:
        raise MalformedRequest(detail="The body is empty; send a JSON object.")
    try:
        body.isascii() or body.decode()
        return _untyped.decode(body)
    except UnicodeDecodeError as error:
        raise MalformedRequest(detail=f"The body is not UTF-8: a bad byte stands at offset {error.start}.") from None
    except RecursionError:
        raise MalformedRequest(detail="The body is nested too deeply.") from None
    except msgspec.ValidationError as error:
        raise MalformedRequest(detail=f"The body is not JSON that can be read: {str(error).lower()}.") from None
    except msgspec.DecodeError as error:
        raise MalformedRequest(detail=f"The body is not JSON: {error}.") from None
