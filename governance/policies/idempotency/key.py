"""The ``Idempotency-Key`` request header.

draft-ietf-httpapi-idempotency-key-header-07 §2.1: an Item whose value is a String (RFC 9651 §3.3.3),
``"8e03978e-40d5-43dd-bc93-6894a57f9324"``. Lenient: the same characters without quotes and without
spaces count as the same key. Unknown parameters are ignored (RFC 9651 §3.1.2).
"""

from __future__ import annotations

import re

from governance.contract.refusals import InvalidIdempotencyKey, MissingIdempotencyKey

LONGEST = 255
QUOTED = re.compile(
    rb'"((?:[ !#-\[\]-~]|\\["\\])*)"'
    rb'(?:; *[a-z*][a-z0-9_.*-]*(?:=(?:"(?:[ !#-\[\]-~]|\\["\\])*"|[!#-+\--:<-~]+))?)*'
)
BARE = re.compile(rb"[!#-~][!-~]*")
ESCAPED = re.compile(rb'\\(["\\])')
PATTERN = r'^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-~][!-~]{0,254})$'
"""What a client may send, for the contract document."""


def parse_key(value: bytes | None) -> str:
    """The key that the header's value holds: 1 to 255 printable ASCII characters.

    Raises:
        MissingIdempotencyKey: there is no such header.
        InvalidIdempotencyKey: it holds no key.
    """
    if value is None:
        raise MissingIdempotencyKey(detail='Send a new random key with each new request: Idempotency-Key: "…"')
    value = value.strip(b" \t")
    quoted = QUOTED.fullmatch(value)
    if quoted is not None:
        key = quoted[1]
        if b"\\" in key:
            key = ESCAPED.sub(rb"\1", key)
    elif BARE.fullmatch(value) is not None:
        key = value
    else:
        raise InvalidIdempotencyKey(detail='Send printable ASCII characters in quotes: Idempotency-Key: "…"')
    if not 1 <= len(key) <= LONGEST:
        raise InvalidIdempotencyKey(detail=f"A key has 1 to {LONGEST} characters.")
    return key.decode("ascii")
