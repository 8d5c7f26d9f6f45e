"""What the workflow engine keeps of a flow: where a leg began, and how each checkpoint ended."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Kind = Literal["refusal", "outage", "fault", "undo", "poison"]
"""Of exceptions: a refusal that only people can answer, an outage that lasts, a fault in the flow itself, an undo
that was refused, and a step in which the process died again and again."""


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="verdict"):
    """How the steps of one checkpoint ended, and what the next leg has to know when they did not end well."""

    outcome: Literal["done", "refused", "cancelled", "amended", "parked", "stuck"]
    problem: str = ""
    reason: str = ""
    kind: Kind | Literal[""] = ""
    step: str = ""
    """What is stuck: a step, or its undo as ``undo:step``."""
    due_us: int | None = None
    """When a parked or stuck flow is looked at again; None: when something happens."""
    failing_us: int = 0
    """Since when the step has failed without a break."""
    attempts: int = 0
    """How often it failed since then."""
    reached: str = ""
    """The last step that is done, where the checkpoint holds more than the group that it is named after."""


FAULT = Verdict(outcome="refused", problem="internal-error", reason="The flow failed.")
"""The verdict on a flow that failed in itself where it can still turn back."""


class FlowStart(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="flow-start"):
    """What a workflow is started with; everything else is in the flow's row."""

    flow_id: str
    first_step: str
    leg: int = 0
    priority: int = 5
    parks: int = 0
    """How often this step was parked before."""
    failing_us: int = 0
    attempts: int = 0
    skip: tuple[str, ...] = ()
    """Steps and undos that people settled by hand."""
    back: Verdict | None = None
    """Why the flow goes backward from ``first_step`` on; None: forward."""
    told: tuple[str, ...] = ()
    """Steps whose events were written before, in a replay."""
    held: bool = False
    """The flow is called on hold until the step is done."""
    exception_id: str = ""
    """The exception that is open for the step; it is closed once the step is done."""

    lost: int = 0
    """How often the workflow engine let go of the flow since it last rested."""

    @property
    def workflow_id(self) -> str:
        """The engine's name of this leg: the flow's own for the first."""
        return f"{self.flow_id}~{self.leg}" if self.leg else self.flow_id


def flow_of(workflow_id: str) -> str:
    """The flow whose leg this is."""
    return workflow_id.partition("~")[0]


def stuck_by_fault(step: str) -> Verdict:
    """The verdict on a flow that failed in itself where it can't turn back."""
    return Verdict(outcome="stuck", kind="fault", step=step, problem=FAULT.problem, reason=FAULT.reason, attempts=1)


def ended_as(why: Verdict) -> str:
    """What a flow that turned back is called in the end."""
    return "rejected" if why.outcome == "refused" else why.outcome
