"""``[policies.webhook_signature]``: whose deliveries are believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct


class Source(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.webhook_signature.sources.<system>]``: the vendor behind one system API."""

    secrets: Annotated[
        tuple[str, ...],
        Meta(max_length=2, description="Up to two secrets that are valid at once, as env:NAME or file:PATH."),
    ] = ()
    scheme: Annotated[
        Literal["", "standard", "timestamped"], Meta(description="How the vendor signs; empty: as its connector says.")
    ] = ""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a delivery must bring, and how often a peer may fail."""

    sources: Mapping[str, Source] = {}
    """System API to its source. A system that is not there takes no deliveries."""
    tolerance_s: Annotated[
        int, Meta(ge=1, le=3_600, description="Seconds that the time of a signature may be off, either way.")
    ] = 300
    retention_days: Annotated[
        int, Meta(ge=7, le=3_650, description="Days for which the inbox knows an event id again.")
    ] = 90
    failure_burst: Annotated[
        int, Meta(ge=1, le=100_000, description="Deliveries that don't verify which a peer may send at once.")
    ] = 50
    failures_per_s: Annotated[
        float, Meta(gt=0, le=10_000, description="Deliveries that don't verify which a peer may send in the long run.")
    ] = 1.0
