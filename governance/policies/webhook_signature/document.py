"""The signature's part of a contract document, and what must be refused on a running gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from governance.call import Documented, Probe
from governance.contract.refusals import RateLimited, Unauthenticated
from governance.webhooks import Scheme

LONG_AGO_S = 1_000_000_000
CHALLENGE: Mapping[str, Any] = {
    "description": "The headers that a signed delivery carries (RFC 9110 §11.6.1).",
    "schema": {"type": "string"},
    "example": 'Webhook-Signature headers="webhook-id webhook-timestamp webhook-signature"',
}
RETRY_AFTER: Mapping[str, Any] = {
    "description": "Seconds after which to deliver again.",
    "schema": {"type": "integer", "minimum": 1},
}


def challenge(scheme: Scheme) -> bytes:
    """What a 401 says: no token helps, these headers do."""
    return f'Webhook-Signature headers="{" ".join(scheme.headers)}"'.encode()


def documented(scheme: Scheme) -> Documented:
    """The scheme's headers, 401 with its challenge, and 429 for a flood of bad signatures."""
    return Documented(
        problems=(Unauthenticated, RateLimited),
        parameters=tuple(_header(name) for name in scheme.headers),
        problem_headers={
            Unauthenticated.status: {"WWW-Authenticate": CHALLENGE},
            RateLimited.status: {"Retry-After": RETRY_AFTER},
        },
    )


def probes(scheme: Scheme, now_s: int) -> Iterable[Probe]:
    """Deliveries that a stranger can make."""
    body = b'{"id":"evt_prove","type":"prove","data":{}}'
    forged = tuple(scheme.forged("evt_prove", now_s, body).items())
    old = tuple(scheme.forged("evt_prove", LONG_AGO_S, body).items())
    yield _refused("WH-001", "A delivery without a signature is refused", body, ())
    yield _refused("WH-002", "A delivery signed with another key is refused", body, forged)
    yield _refused("WH-003", "A delivery that was signed long ago is refused", body, old)
    yield _refused("WH-004", "A token does not stand in for a signature", body, (), token=True)


def _refused(
    control: str, title: str, body: bytes, headers: tuple[tuple[str, str], ...], *, token: bool = False
) -> Probe:
    return Probe(
        control=control,
        title=title,
        expect_status=Unauthenticated.status,
        expect_type=Unauthenticated.type,
        expect_headers=(("www-authenticate", 'Webhook-Signature headers="[a-z -]+"'),),
        with_headers=headers,
        body=body,
        token="valid" if token else "none",
    )


def _header(name: str) -> Mapping[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": "Part of the delivery's signature.",
        "schema": {"type": "string"},
    }
