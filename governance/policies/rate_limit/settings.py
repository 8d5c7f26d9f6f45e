"""Settings of the rate limit, and where a client's plan may say otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from governance.contract.operation import Tier
from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.quota import Quota

Spelled = Annotated[str, Meta(description="A rate such as '600/60s burst 100', per client.")]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.rate_limit]``: what a client may call of each tier at the edge, unless its plan says otherwise."""

    experience: Spelled = "6000/60s burst 1000"
    process: Spelled = "6000/60s burst 1000"
    system: Spelled = "6000/60s burst 1000"
    on_store_failure: Annotated[
        Literal["open", "closed", "local"],
        Meta(description="While the store is away: admit all, refuse all with 503, or limit in each process."),
    ] = "local"
    local_share: Annotated[
        float, Meta(gt=0, le=1, description="The part of each limit that one process admits in mode 'local'.")
    ] = 0.25

    def __post_init__(self) -> None:
        for spelled in (self.experience, self.process, self.system):
            RateLimit.parse(spelled)

    def limit_for(self, tier: Tier) -> RateLimit:
        """The default limit of a tier."""
        return RateLimit.parse({"experience": self.experience, "process": self.process, "system": self.system}[tier])


class Plan(Protocol):
    """What clients of one plan have agreed on; it never changes, a reload brings another."""

    @property
    def name(self) -> str:
        """Unique among the plans of one configuration."""
        ...

    @property
    def rates(self) -> Mapping[Tier, RateLimit]:
        """Per tier, in place of the default."""
        ...

    @property
    def operations(self) -> Mapping[str, RateLimit]:
        """Per operation id, beside the tier's rate and in place of what the operation declares."""
        ...

    @property
    def quotas(self) -> Sequence[Quota]:
        """What may be spent in a day or month."""
        ...


class Plans(Protocol):
    """Who is on which plan. Asked on every call, so it must answer from memory."""

    def plan_of(self, client_id: str) -> Plan | None:
        """The client's plan; None where the defaults hold."""
        ...
