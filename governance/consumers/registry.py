"""Who the clients are and what they have agreed on: looked up on every call, so by plain dictionaries.

One object for the life of a process, which every part may hold. ``become`` replaces what it knows in
one assignment: a call sees the old clients and plans or the new ones, never some of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from governance.consumers.consumer import Consumer
from governance.consumers.errors import ConsumerError
from governance.consumers.plans import Plan

DEFAULT_PLAN = "default"


class Known(Struct, frozen=True, kw_only=True):
    """All that is known at one time."""

    consumers: Mapping[str, Consumer]
    plans: Mapping[str, Plan]
    origins: frozenset[str]


class Consumers:
    """Every known consumer and the plans they are on; an unknown client is on the default plan."""

    def __init__(self, consumers: Iterable[Consumer] = (), plans: Iterable[Plan] = ()) -> None:
        by_id: dict[str, Consumer] = {}
        for consumer in consumers:
            if consumer.client_id in by_id:
                raise ConsumerError(f"The client {consumer.client_id} is declared twice.")
            by_id[consumer.client_id] = consumer
        self._known = Known(
            consumers=by_id,
            plans={plan.name: plan for plan in plans},
            origins=frozenset(origin for consumer in by_id.values() for origin in consumer.origins),
        )

    def become(self, others: Consumers) -> None:
        """Know what ``others`` knows, from the next look-up on; a plan that did not change stays the same object."""
        old, new = self._known, others._known
        plans = {name: old.plans[name] if old.plans.get(name) == plan else plan for name, plan in new.plans.items()}
        self._known = Known(consumers=new.consumers, plans=plans, origins=new.origins)

    def __iter__(self) -> Iterator[Consumer]:
        return iter(self._known.consumers.values())

    def __len__(self) -> int:
        return len(self._known.consumers)

    @property
    def origins(self) -> frozenset[str]:
        """Every origin that some consumer calls from: what a CORS preflight, which has no token, is judged by."""
        return self._known.origins

    def get(self, client_id: str) -> Consumer | None:
        """The consumer of this id, or None."""
        return self._known.consumers.get(client_id)

    def allows_origin(self, client_id: str, origin: str) -> bool:
        """Whether a browser page from ``origin`` may read answers to this client's calls."""
        consumer = self._known.consumers.get(client_id)
        return consumer is not None and origin in consumer.origins

    def plan_of(self, client_id: str) -> Plan | None:
        """The plan that the client is on, or None where it is not written down."""
        known = self._known
        consumer = known.consumers.get(client_id)
        return known.plans.get(consumer.plan if consumer else DEFAULT_PLAN)
