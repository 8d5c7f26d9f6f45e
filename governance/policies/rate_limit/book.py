"""Which terms hold for whom: the book of one operation.

At the edge a client is held to the rate of the tier, to the operation's own where its plan or the
declaration states one, and to the quotas of its plan. An inner call is held to the operation's own
limit alone, and only where the declaration states one. A plan comes before the defaults. One
that states less than a call costs is told in the log: its clients get 429, whatever they wait.
"""

from __future__ import annotations

import logging

from governance.contract.operation import Operation, Tier
from governance.policies.rate_limit.bucket import Bucket
from governance.policies.rate_limit.counter import Counter
from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.settings import Plan, Plans, Settings
from governance.policies.rate_limit.terms import Terms

logger = logging.getLogger("tiergate.rate_limit")


class Book:
    """Terms of one operation by client; those of a plan are prepared once."""

    def __init__(self, operation: Operation, settings: Settings, plans: Plans | None, now_us: int) -> None:
        self._operation = operation
        self._plans = plans
        self._now_us = now_us
        """A first guess at the store's time, which only says in which period quotas are asked for first."""
        self._rate = settings.limit_for(operation.tier)
        self._declared = declared(operation)
        self._edge = Terms(operation.cost, self._buckets(self._rate, self._declared))
        self._inner = self._own(self._declared)
        self._planned: dict[str, tuple[Plan, Terms, Terms | None]] = {}

    def edge(self, client_id: str) -> Terms:
        """What a client is held to."""
        plan = self._plans.plan_of(client_id) if self._plans is not None else None
        return self._edge if plan is None else self._under(plan)[1]

    def inner(self, client_id: str) -> Terms | None:
        """What an API that calls for a client is held to; None for nothing."""
        if self._inner is None:
            return None
        plan = self._plans.plan_of(client_id) if self._plans is not None else None
        return self._inner if plan is None else self._under(plan)[2]

    def _under(self, plan: Plan) -> tuple[Plan, Terms, Terms | None]:
        known = self._planned.get(plan.name)
        if known is None or known[0] is not plan:
            known = self._planned[plan.name] = self._agreed(plan)
        return known

    def _agreed(self, plan: Plan) -> tuple[Plan, Terms, Terms | None]:
        tier: Tier = self._operation.tier
        own = plan.operations.get(self._operation.id, self._declared)
        counters = [Counter(quota, self._now_us) for quota in plan.quotas if quota.tier in ("", tier)]
        buckets = self._buckets(plan.rates.get(tier, self._rate), own)
        inner = self._own(own) if self._declared is not None else None
        least = min([bucket.limit.burst for bucket in buckets] + [counter.quota.amount for counter in counters])
        if self._operation.cost > least:
            said = "%s costs %d, and plan %s never has more than %d: no call of it passes"
            logger.warning(said, self._operation.id, self._operation.cost, plan.name, least)
        return plan, Terms(self._operation.cost, buckets, counters), inner

    def _buckets(self, rate: RateLimit, own: RateLimit | None) -> list[Bucket]:
        buckets = [Bucket.of(self._operation.tier, rate)]
        return buckets if own is None else [*buckets, Bucket.of(self._operation.id, own)]

    def _own(self, own: RateLimit | None) -> Terms | None:
        return Terms(self._operation.cost, (Bucket.of(self._operation.id, own),)) if own is not None else None


def declared(operation: Operation) -> RateLimit | None:
    """The limit that the operation declares.

    Raises:
        ValueError: what it declares is none.
    """
    return RateLimit.parse(operation.limit) if operation.limit else None
