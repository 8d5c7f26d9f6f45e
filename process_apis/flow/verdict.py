"""What the workflow engine keeps of a flow: where a leg began, and how each checkpoint ended."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class FlowStart(Struct, frozen=True, kw_only=True, tag="flow-start"):
    """What a workflow is started with; everything else is in the flow's row."""

    flow_id: str
    first_step: str
    leg: int = 0

    @property
    def workflow_id(self) -> str:
        """The engine's name of this leg: the flow's own for the first."""
        return f"{self.flow_id}~{self.leg}" if self.leg else self.flow_id


class Verdict(Struct, frozen=True, kw_only=True, tag="verdict"):
    """How the steps of one checkpoint ended."""

    outcome: Literal["done", "refused", "cancelled", "parked"]
    problem: str = ""
    reason: str = ""
