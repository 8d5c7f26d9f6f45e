"""What became of a probe."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Outcome = Literal["held", "failed", "unproved"]


class Proof(Struct, frozen=True, kw_only=True):
    """What was promised of one operation, and what came."""

    control: str
    operation_id: str
    title: str
    expected: str
    seen: str
    case: str = ""
    """Which of several requests of the control it was."""
    outcome: Outcome

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        return self.outcome == "held"

    def __str__(self) -> str:
        where = f" ({self.case})" if self.case else ""
        return f"{self.control} {self.operation_id}: {self.title}{where}: {self.seen}, not {self.expected}"
