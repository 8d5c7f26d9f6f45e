"""What a company decides about returns."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from system_apis.canonical.values import AMOUNT_LIMIT

DAY_S = 86_400


class ReturnSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[processes.returns]``: when a return is authorised without people, and how long it may take."""

    window_s: Annotated[int, Meta(ge=0, le=10 * 365 * DAY_S, description="a number of seconds up to ten years")] = (
        60 * DAY_S
    )
    """Goods may be returned for this long after their last invoice."""
    approval_above_minor: Annotated[int, Meta(ge=0, le=AMOUNT_LIMIT, description="an amount in minor units")] = 500_000
    """A return that is worth more, in minor units and with tax, waits for somebody's yes."""
    receive_within_s: Annotated[
        int, Meta(ge=1, le=10 * 365 * DAY_S, description="a number of seconds up to ten years")
    ] = 30 * DAY_S
    """Goods that are not here this long after the return was authorised do not come any more."""
