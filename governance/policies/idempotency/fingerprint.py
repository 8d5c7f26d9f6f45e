"""The fingerprint of a request: tells a repeat from another request under the same key.

draft-ietf-httpapi-idempotency-key-header-07 §2.4. Over method, path, query and body; the body is
encoded anew from its values, so white space and the order of members don't matter, while a
default that a later release adds to a schema does not turn an old repeat into another request.
"""

from __future__ import annotations

import hashlib

import msgspec

from governance.call import Request

_canonical = msgspec.json.Encoder(order="sorted")


def fingerprint_of(request: Request) -> bytes:
    """32 bytes for a request whose body was read and decoded already."""
    body = _canonical.encode(msgspec.json.decode(request.body)) if request.body else b""
    parts = (request.method.encode(), request.path.encode("utf-8", "surrogateescape"), request.query, body)
    return hashlib.sha256(b"\0".join(parts)).digest()
