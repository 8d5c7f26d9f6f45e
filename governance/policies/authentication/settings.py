"""``[policies.authentication]``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds on what a caller may try, and how long it may ask to wait."""

    max_wait_s: Annotated[float, Meta(ge=0, le=60, description="Longest `Prefer: wait` that is honoured, seconds.")] = (
        30.0
    )
    failure_burst: Annotated[int, Meta(ge=1, le=100_000, description="Bad tokens that a peer may send at once.")] = 200
    failures_per_s: Annotated[
        float, Meta(gt=0, le=10_000, description="Bad tokens that a peer may send in the long run.")
    ] = 50.0
