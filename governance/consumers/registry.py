"""Who the clients are: looked up by id on every call, so by plain dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from governance.consumers.consumer import Consumer
from governance.consumers.errors import ConsumerError
from governance.consumers.plans import Plan

if TYPE_CHECKING:
    from governance.policies.rate_limit import RateLimit

DEFAULT_PLAN = "default"


class Consumers:
    """Every known consumer and the plans they are on; an unknown client is on the default plan."""

    def __init__(
        self, consumers: Iterable[Consumer] = (), plans: Mapping[str, Mapping[str, RateLimit]] | None = None
    ) -> None:
        self._consumers: dict[str, Consumer] = {}
        for consumer in consumers:
            if consumer.client_id in self._consumers:
                raise ConsumerError(f"The client {consumer.client_id} is declared twice.")
            self._consumers[consumer.client_id] = consumer
        self._plans = plans or {}
        self._agreed = {name: Plan(name=name, rates=cast("Any", rates)) for name, rates in self._plans.items()}
        self._origins = frozenset(origin for consumer in self for origin in consumer.origins)

    def __iter__(self) -> Iterator[Consumer]:
        return iter(self._consumers.values())

    def __len__(self) -> int:
        return len(self._consumers)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin that some consumer calls from: what a CORS preflight, which has no token, is judged by."""
        return self._origins

    def get(self, client_id: str) -> Consumer | None:
        """The consumer of this id, or None."""
        return self._consumers.get(client_id)

    def allows_origin(self, client_id: str, origin: str) -> bool:
        """Whether a browser page from ``origin`` may read answers to this client's calls."""
        consumer = self._consumers.get(client_id)
        return consumer is not None and origin in consumer.origins

    def plan_of(self, client_id: str) -> Plan | None:
        """The plan that the client is on, or None where it is not written down."""
        consumer = self._consumers.get(client_id)
        return self._agreed.get(consumer.plan if consumer else DEFAULT_PLAN)

    def limit_for(self, client_id: str, tier: str) -> RateLimit | None:
        """The rate limit of the client's plan at ``tier``, or None where the plan states none."""
        consumer = self._consumers.get(client_id)
        plan = self._plans.get(consumer.plan if consumer else DEFAULT_PLAN)
        return plan.get(tier) if plan is not None else None
