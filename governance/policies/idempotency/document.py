"""Idempotency's part of a contract document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.call import Documented
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.contract.refusals import (
    IdempotencyInFlight,
    IdempotencyKeyReused,
    InvalidIdempotencyKey,
    MissingIdempotencyKey,
    SystemUnavailable,
)
from governance.policies.idempotency.key import PATTERN
from governance.policies.idempotency.lookup import lookup_path

PARAMETER: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": (
        "A key of your own for this request, such as a UUID in quotes. A repeat with the same key gets "
        "the first answer and has no second effect."
    ),
    "schema": {"type": "string", "pattern": PATTERN},
    "example": '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
}
REPLAYED: Mapping[str, Any] = {
    "description": "`true` on an answer that was stored when the key was first used.",
    "schema": {"type": "string", "const": "true"},
}
RETRY_AFTER: Mapping[str, Any] = {
    "description": "Seconds after which to repeat the request with the same key.",
    "schema": {"type": "integer", "minimum": 1},
}


def documented(operation: Operation, retention_s: int, *, refuses_without_store: bool) -> Documented:
    """What a keyed operation says about its key."""
    problems: tuple[type[Problem], ...] = (
        MissingIdempotencyKey,
        InvalidIdempotencyKey,
        IdempotencyInFlight,
        IdempotencyKeyReused,
    )
    with_retry = {IdempotencyInFlight.status: {"Retry-After": RETRY_AFTER}}
    if refuses_without_store:
        problems += (SystemUnavailable,)
        with_retry[SystemUnavailable.status] = {"Retry-After": RETRY_AFTER}
    return Documented(
        problems=problems,
        parameters=(PARAMETER,),
        every_header={"Idempotency-Replayed": REPLAYED},
        problem_headers=with_retry,
        extensions={"x-idempotency": {"retention_s": retention_s, "lookup": lookup_path(operation)}},
    )
