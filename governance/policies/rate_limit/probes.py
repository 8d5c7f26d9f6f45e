"""What the rate limit promises of every operation on a running gateway."""

from __future__ import annotations

from collections.abc import Iterable

from governance.call import Probe
from governance.contract.operation import Operation
from governance.contract.refusals import InsufficientScope, RateLimited
from governance.policies.rate_limit.limit import RateLimit

ITEM = r'"[a-z0-9._]+"'
POLICY = rf"{ITEM};q=[1-9]\d*;w=[1-9]\d*(, {ITEM};q=[1-9]\d*;w=[1-9]\d*)*"
STATE = rf"{ITEM};r=\d+;t=\d+(, {ITEM};r=\d+;t=\d+)*"
ANNOUNCED = (("ratelimit-policy", POLICY), ("ratelimit", STATE))
SPENT = rf"(.+, )?{ITEM};r=0;t=\d+(, .+)?"
REACHED = 204
"""What a probe of a write is answered where its implementation would begin."""


def probes(operation: Operation, rate: RateLimit) -> Iterable[Probe]:
    """An end of every burst, and both header fields on what is admitted as on what is refused."""
    yield Probe(
        control="RL-001",
        title="A client that spends its burst is refused",
        expect_status=RateLimited.status,
        expect_type=RateLimited.type,
        expect_headers=(("retry-after", r"[1-9]\d*"), ANNOUNCED[0], ("ratelimit", SPENT if operation.cost == 1 else STATE)),
        until_spent=operation.cost == 1,
        repeat=1 if operation.cost == 1 else rate.burst // operation.cost + 1,
    )  # fmt: skip
    yield Probe(
        control="RL-002",
        case="admitted",
        title="Every answer to a known client announces its limits",
        expect_status=0 if operation.safe else REACHED,
        expect_headers=ANNOUNCED,
    )
    yield Probe(
        control="RL-002",
        case="refused before its turn",
        title="Every answer to a known client announces its limits",
        expect_status=InsufficientScope.status,
        expect_type=InsufficientScope.type,
        expect_headers=ANNOUNCED,
        token="no-scope",  # noqa: S106 - a kind of token
    )
