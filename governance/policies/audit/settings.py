"""Settings of the audit."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.audit]``."""

    reads: Annotated[bool, Meta(description="Whether reads that were allowed are audited too.")] = False
    retention_days: Annotated[int, Meta(ge=1, le=36_500, description="Days for which entries are kept.")] = 400
    segment_bytes: Annotated[
        int, Meta(ge=4_096, le=1_073_741_824, description="Size from which a new segment file is begun.")
    ] = 16_777_216
    on_failure: Annotated[
        Literal["closed", "open"],
        Meta(description="While the journal can't be written: changes answer 503, or go on unaudited."),
    ] = "closed"
