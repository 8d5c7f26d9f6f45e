"""The rate limit's part of a contract document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.call import Documented
from governance.contract.problems import Problem
from governance.contract.refusals import RateLimited, SystemUnavailable
from governance.policies.rate_limit.limit import RateLimit

RETRY_AFTER: Mapping[str, Any] = {
    "description": "Seconds after which the call may be repeated.",
    "schema": {"type": "integer", "minimum": 1},
}
EVERY_HEADER: Mapping[str, Mapping[str, Any]] = {
    "RateLimit-Policy": {
        "description": "Per limit: `q` units may be spent at once, and come back within `w` seconds.",
        "schema": {"type": "string"},
        "example": '"experience";q=1000;w=10',
    },
    "RateLimit": {
        "description": "Per limit: `r` units remain, and for `t` seconds no more than these.",
        "schema": {"type": "string"},
        "example": '"experience";r=42;t=7',
    },
}


def documented(limits: Mapping[str, RateLimit], cost: int, *, refuses_without_store: bool) -> Documented:
    """What an operation under ``limits`` says about them and about what a call takes of each."""
    problems: tuple[type[Problem], ...] = (RateLimited,)
    with_retry = {RateLimited.status: {"Retry-After": RETRY_AFTER}}
    if refuses_without_store:
        problems += (SystemUnavailable,)
        with_retry[SystemUnavailable.status] = {"Retry-After": RETRY_AFTER}
    described: dict[str, Any] = {
        name: {"burst": limit.burst, "interval_us": limit.interval_us} for name, limit in limits.items()
    }
    if cost != 1:
        described["cost"] = cost
    return Documented(
        problems=problems,
        every_header=EVERY_HEADER,
        problem_headers=with_retry,
        extensions={"x-rate-limit": described},
    )
