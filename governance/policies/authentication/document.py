"""Authentication's part of a contract document, and what must be refused on a running gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from governance.call import Documented, Probe, TokenKind
from governance.contract.refusals import MalformedRequest, RateLimited, SystemUnavailable, Unauthenticated

CHALLENGE: Mapping[str, Any] = {
    "description": "RFC 6750 challenge: the error, and where the metadata of this API is (RFC 9728).",
    "schema": {"type": "string"},
    "example": 'Bearer realm="tiergate", error="invalid_token", error_description="The token has expired."',
}
RETRY_AFTER: Mapping[str, Any] = {
    "description": "Seconds after which to try again.",
    "schema": {"type": "integer", "minimum": 1},
}

DOCUMENTED = Documented(
    problems=(Unauthenticated, RateLimited, SystemUnavailable),
    problem_headers={
        Unauthenticated.status: {"WWW-Authenticate": CHALLENGE},
        RateLimited.status: {"Retry-After": RETRY_AFTER},
        SystemUnavailable.status: {"Retry-After": RETRY_AFTER},
    },
)


REFUSED: tuple[tuple[str, TokenKind, str], ...] = (
    ("AU-001", "none", "A request without a token is refused"),
    ("AU-002", "garbage", "A token that is none is refused"),
    ("AU-003", "expired", "An expired token is refused"),
    ("AU-004", "wrong-audience", "A token for another audience is refused"),
    ("AU-005", "alg-none", "A token that says that it needs no signature is refused"),
    ("AU-006", "hmac-of-public-key", "A token that takes the public key for a secret is refused"),
    ("AU-007", "other-key", "A token signed with another key is refused"),
    ("AU-008", "key-in-header", "A token that brings its own key is refused"),
    ("AU-009", "tampered", "A token with changed claims is refused"),
    ("AU-010", "wrong-type", "A token of another type is refused"),
    ("AU-011", "other-issuer", "A token of another issuer is refused"),
    ("AU-012", "not-yet", "A token that is not valid yet is refused"),
    ("AU-013", "no-expiry", "A token that never expires is refused"),
    ("AU-014", "critical", "A token that demands unknown extensions is refused"),
)
"""Control, the kind of token, and what holds: RFC 6750 §3.1, RFC 7515 §4.1.11, RFC 8725 §3, RFC 9068 §4."""


def probes() -> Iterable[Probe]:
    """Requests that identify must refuse before anything else is judged."""
    status, kind = Unauthenticated.status, Unauthenticated.type
    for control, token, title in REFUSED:
        yield Probe(control=control, title=title, expect_status=status, expect_type=kind, token=token)
    yield Probe(
        control="AU-015",
        title="A token in the address is refused",
        expect_status=MalformedRequest.status,
        expect_type=MalformedRequest.type,
        query="access_token=a.b.c",
    )
