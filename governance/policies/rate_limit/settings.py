"""Settings of the rate limit, and where a client's plan may say otherwise."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from msgspec import Meta, Struct

from governance.contract.operation import Tier
from governance.policies.rate_limit.limit import RateLimit

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


class Plans(Protocol):
    """What clients have agreed on. Asked on every call, so it must answer from memory."""

    def limit_for(self, client_id: str, tier: Tier) -> RateLimit | None:
        """The client's own limit for a tier; None for the default."""
        ...
