"""What is wrong or weak in the limits and costs that operations declare."""

from __future__ import annotations

from collections.abc import Iterable

from governance.call import Finding
from governance.contract.operation import Operation
from governance.policies.rate_limit.limit import RateLimit


def findings(operation: Operation, rate: RateLimit) -> Iterable[Finding]:
    """RL-010 a limit that is none, RL-011 one that no client reaches, RL-012 a cost above every burst."""
    own: RateLimit | None = None
    if operation.limit:
        try:
            own = RateLimit.parse(operation.limit)
        except ValueError as error:
            yield Finding(id="RL-010", operation_id=operation.id, detail=str(error))
            return
        if own.burst > rate.burst and own.interval_us < rate.interval_us:
            detail = f"Its limit {operation.limit!r} is wider than the {operation.tier} tier's, which is met first."
            yield Finding(id="RL-011", operation_id=operation.id, detail=detail, severity="warning")
    least = min(rate.burst, own.burst) if own is not None else rate.burst
    if operation.cost > least:
        detail = (
            f"It costs {operation.cost}, and a limit that it is held to never has more than {least}: no call passes."
        )
        yield Finding(id="RL-012", operation_id=operation.id, detail=detail)
