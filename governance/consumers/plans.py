"""A plan: what the clients that are on it may spend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from governance.contract.operation import Tier
    from governance.policies.rate_limit import Quota, RateLimit


class Plan(Struct, frozen=True, kw_only=True):
    """Rates per tier and per operation id, and quotas of days and months."""

    name: str
    rates: Mapping[Tier, RateLimit] = {}
    operations: Mapping[str, RateLimit] = {}
    quotas: tuple[Quota, ...] = ()
