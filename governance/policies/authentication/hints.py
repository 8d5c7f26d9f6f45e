"""What a caller says about the call itself: how long it waits, its trace and, of a hop, its id and deadline.

Standards: RFC 7240 §4.3 (``Prefer: wait``), W3C Trace Context level 1 §3.2 (``traceparent``).
Anything malformed is left out: none of these headers can fail a call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from governance.bindings.remote import DEADLINE_HEADER
from governance.call import Call, Clock, Exchange
from governance.call.allowance import RETRIES_HEADER, Allowance
from governance.identity import Identity

WAIT = re.compile(rb"(?:^|[,;])\s*wait\s*=\s*\"?([0-9]{1,6}(?:\.[0-9]{1,6})?)\"?\s*(?:$|[,;])", re.IGNORECASE)
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
DEADLINE = DEADLINE_HEADER.lower().encode()
RETRIES = RETRIES_HEADER.lower().encode()


def wait_s(headers: Mapping[bytes, bytes], most_s: float) -> float:
    """How long the caller prefers to wait, at most ``most_s``; 0 where it says nothing."""
    value = headers.get(b"prefer")
    found = WAIT.search(value) if value is not None else None
    return min(float(found[1]), most_s) if found else 0.0


def traceparent(headers: Mapping[bytes, bytes]) -> str | None:
    """The caller's trace position, or None."""
    value = headers.get(b"traceparent")
    return value.decode() if value is not None and TRACEPARENT.fullmatch(value) else None


def call_of(exchange: Exchange, identity: Identity, clock: Clock, most_wait_s: float) -> Call:
    """The call that the identified request makes. Request id, deadline and retries are believed of a hop only."""
    headers = exchange.served.headers
    call = Call(
        principal=identity.principal,
        operation_id=exchange.operation.id,
        on_behalf_of=identity.on_behalf_of,
        request_id=exchange.evidence.get("request_id", ""),
        traceparent=traceparent(headers),
        wait_s=wait_s(headers, most_wait_s),
    )
    if identity.principal.acting_api is not None:
        given = headers.get(b"request-id", b"")
        if REQUEST_ID.fullmatch(given):
            call.request_id = given.decode()
        left_ms = headers.get(DEADLINE, b"")
        if left_ms.isdigit() and len(left_ms) < 10:
            call.deadline = clock.monotonic() + int(left_ms) / 1000
        call.allowance = Allowance(1 if headers.get(RETRIES) == b"1" else 0, exchange.response_headers)
    return call
