"""Authentication's part of a contract document, and what must be refused on a running gateway."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from governance.call import Documented, Probe
from governance.contract.refusals import RateLimited, SystemUnavailable, Unauthenticated

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


def probes() -> Iterable[Probe]:
    """Requests that identify must refuse before anything else is judged."""
    yield _refused("AU-001", "A request without a token is refused", "none")
    yield _refused("AU-002", "A token that is none is refused", "garbage")
    yield _refused("AU-003", "An expired token is refused", "expired")
    yield _refused("AU-004", "A token for another audience is refused", "wrong-audience")


def _refused(control: str, title: str, token: Literal["none", "garbage", "expired", "wrong-audience"]) -> Probe:
    status, kind = Unauthenticated.status, Unauthenticated.type
    return Probe(control=control, title=title, expect_status=status, expect_type=kind, token=token)
