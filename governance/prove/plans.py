"""The plan of clients that spend their burst to prove that it ends: small, so that few calls show it.

Their ids begin with ``prover-burst:``, which no declared client can have (an id has no colon); an
issuer that names a client so can only narrow its limits. Everybody else is on the plan that it was on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from governance.contract.operation import TIERS, Tier
from governance.policies.rate_limit import RateLimit
from governance.policies.rate_limit.quota import Quota
from governance.policies.rate_limit.settings import Plan, Plans
from governance.prove.prober import BURST_CLIENT

SMALL = RateLimit.parse("3/10m burst 3")


class BurstPlan(Struct, frozen=True, kw_only=True):
    """Three calls, and one more every few minutes."""

    name: str = "prover-burst"
    rates: Mapping[Tier, RateLimit]
    operations: Mapping[str, RateLimit] = {}
    quotas: Sequence[Quota] = ()


BURST_PLAN = BurstPlan(rates=dict.fromkeys(TIERS, SMALL))


class ProverPlans:
    """The plans of a gateway, and that of its provers."""

    def __init__(self, plans: Plans) -> None:
        self._plan_of = plans.plan_of

    def plan_of(self, client_id: str) -> Plan | None:
        """The client's plan; None where the defaults hold."""
        return BURST_PLAN if client_id.startswith(BURST_CLIENT) else self._plan_of(client_id)
