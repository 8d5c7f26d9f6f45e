"""Settings of idempotency."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

DAY_S = 86_400
Retention = Annotated[int, Meta(ge=60, le=30 * DAY_S, description="Seconds for which a repeat gets the first answer.")]


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[policies.idempotency]``."""

    retention_s: Retention = DAY_S
    retention_by_operation: dict[str, Retention] = {}
    """Operation id to a retention of its own, such as 30 days for clients that work offline."""
    lease_s: Annotated[
        int,
        Meta(
            ge=1, le=300, description="Seconds after which the key of a killed request is free; renewed while it runs."
        ),
    ] = 30
    largest_outcome_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=16_777_216,
            description="A larger answer is not stored: its repeat runs again, and flow and record keep the guarantee.",
        ),
    ] = 1_048_576
    on_store_failure: Annotated[
        Literal["closed", "open"],
        Meta(description="While the store is away: 503, or go on and rely on flow id and record reference."),
    ] = "closed"

    def retention_of(self, operation_id: str) -> int:
        """Seconds for which the answers of an operation are kept."""
        return self.retention_by_operation.get(operation_id, self.retention_s)
