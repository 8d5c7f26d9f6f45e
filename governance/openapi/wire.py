"""What the served binding itself answers, by the shape of an operation.

The twin of governance/bindings/served.py and execution.py: every status, header and problem that
they can bring about is stated here in the words of OpenAPI, in the form in which a policy states
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.call.call import AccountRequired
from governance.call.policy import Documented
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.contract.refusals import (
    BodyTooLarge,
    DeadlineExceeded,
    InternalError,
    InvalidBody,
    InvalidParameters,
    MalformedRequest,
    NotAcceptable,
    Overloaded,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    SystemUnavailable,
    UnsupportedMediaType,
    UriTooLong,
)

Header = Mapping[str, Any]

ALWAYS: tuple[type[Problem], ...] = (
    MalformedRequest,
    InvalidParameters,
    AccountRequired,
    NotAcceptable,
    UriTooLong,
    InternalError,
    SystemUnavailable,
    Overloaded,
    DeadlineExceeded,
)
WITH_BODY: tuple[type[Problem], ...] = (RequestTimeout, BodyTooLarge, UnsupportedMediaType, InvalidBody)
CONDITIONAL: tuple[type[Problem], ...] = (PreconditionFailed, PreconditionRequired)

REQUEST_ID: Header = {
    "description": "Finds this call in logs and traces; name it when you ask for help.",
    "required": True,
    "schema": {"type": "string"},
}
NOSNIFF: Header = {
    "description": "The content type is as it says.",
    "required": True,
    "schema": {"const": "nosniff", "type": "string"},
}
STANDING: Mapping[str, Header] = {
    "Request-Id": REQUEST_ID,
    "X-Content-Type-Options": NOSNIFF,
    "Content-Security-Policy": {
        "description": "A browser neither runs nor frames it.",
        "required": True,
        "schema": {"type": "string"},
        "example": "default-src 'none'; frame-ancestors 'none'",
    },
    "Cache-Control": {
        "description": "Successful reads may be kept in private and asked for again by their tag; the rest is not kept.",
        "required": True,
        "schema": {"type": "string", "enum": ["private, no-cache", "no-store"]},
    },
    "Strict-Transport-Security": {
        "description": "Where the gateway is reached by TLS (RFC 6797 §6.1).",
        "required": False,
        "schema": {"type": "string"},
        "example": "max-age=31536000",
    },
}
"""What every answer carries; see ``governance.bindings.standing_headers``."""
ENTITY_TAG: Header = {
    "description": "The record's revision (RFC 9110 §8.8.3).",
    "required": True,
    "schema": {"type": "string", "pattern": '^(W/)?"[!#-~]*"$'},
}
RETRY_AFTER: Header = {
    "description": "In how many seconds it is worth asking again (RFC 9110 §10.2.3).",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}
LOCATION: Header = {
    "description": "The path of the record (RFC 9110 §10.2.2).",
    "required": True,
    "schema": {"type": "string", "format": "uri-reference"},
}
IF_MATCH: Header = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The `ETag` of the revision that you change, or `*` for any (RFC 9110 §13.1.1).",
    "schema": {"type": "string", "pattern": r'^("[!#-~]*"|\*)$'},
}
IF_NONE_MATCH: Header = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` that you have; the answer is 304 while it holds (RFC 9110 §13.1.2).",
    "schema": {"type": "string"},
}
PREFER: Header = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=5` holds the answer for up to five seconds, until there is more to tell (RFC 7240 §4.3).",
    "schema": {"type": "string"},
    "example": "wait=5",
}


LAST_EVENT_ID: Header = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The `id` of the last event that you have; what came after it is sent first (HTML §9.2.4).",
    "schema": {"type": "string", "maxLength": 200},
}
PREFER_BRIEF: Header = {
    **PREFER,
    "description": "`wait=60` ends the stream after a minute; without it, it goes on (RFC 7240 §4.3).",
    "example": "wait=60",
}


def documented(operation: Operation) -> Documented:
    """The binding's own part of an operation's description."""
    problems = ALWAYS
    parameters: tuple[Header, ...] = ()
    success: dict[str, Header] = {}
    if operation.body:
        problems += WITH_BODY
    if operation.conditional:
        problems += CONDITIONAL
        parameters += (IF_MATCH,)
    if operation.streams:
        problems += (RateLimited,)
        parameters += (LAST_EVENT_ID, PREFER_BRIEF)
    elif operation.safe:
        parameters += (IF_NONE_MATCH,)
    if operation.accepted:
        parameters += (PREFER,)
    if tagged(operation):
        success["ETag"] = ENTITY_TAG
    if operation.location:
        success["Location"] = LOCATION
    return Documented(
        problems=problems,
        parameters=parameters,
        success_headers=success,
        every_header=STANDING,
        problem_headers={SystemUnavailable.status: {"Retry-After": RETRY_AFTER}},
        extensions={"x-idempotency": _idempotency(operation), **_visibility(operation)},
    )


def tagged(operation: Operation) -> bool:
    """Whether the answer carries an ``ETag``."""
    return operation.kind in ("read", "search", "create", "replace", "amend") and not operation.accepted


def _visibility(operation: Operation) -> dict[str, Any]:
    visibility = operation.visibility
    if visibility.fields:
        return {"x-visible-by": list(visibility.fields)}
    return {"x-public-because": visibility.public_because}


def _idempotency(operation: Operation) -> dict[str, Any]:
    if operation.keyed:
        return {"key": "required"}
    if operation.inbound:
        return {"key": "none", "because": "Each event id is kept once, however often it is delivered."}
    if operation.unkeyed_because:
        return {"key": "none", "because": operation.unkeyed_because}
    return {"key": "none", "because": f"{operation.method} is idempotent (RFC 9110 §9.2.2)."}
