"""A flow's table as people read it: aligned text, and a Mermaid flowchart for documents.

Both are made of the table itself, so neither can say what the flow does not do.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from process_apis.flow.table import Flow, Stage, Step

MINUTE_S = 60
HOUR_S = 3_600


class Line(Struct, frozen=True, kw_only=True):
    """One step as a line of the table."""

    step: str
    kind: str
    undo: str
    when: str
    leads_to: str
    queue: str
    asked: str
    tells: str
    hears: str


def lines(flow: Flow[Any]) -> tuple[Line, ...]:
    """The flow's table, a line a step."""
    before = True
    found: list[Line] = []
    for stage in flow.stages:
        found += [_line(flow, step, together=len(stage) > 1, before_return=before) for step in stage]
        before = before and not stage[0].pivot
    if flow.last is not None:
        found.append(_line(flow, flow.last, together=False, before_return=True, kind="after the way back"))
    return tuple(found)


def _line(flow: Flow[Any], step: Step[Any], *, together: bool, before_return: bool, kind: str = "") -> Line:
    refused = "undo all" if before_return and step.retry.refusal == "back" else "people"
    if step is flow.last:
        refused = "nothing"
    return Line(
        step=step.name,
        kind=kind or ("pivot" if step.pivot else "together" if together else "reads" if step.only_reads else ""),
        undo=_words(step.undo),
        when=_words(step.when),
        leads_to=step.status or "",
        queue=step.queue or flow.queue,
        asked=f"{refused}; outage {_span(step.retry.outage_s)}, call {_span(step.timeout_s)}",
        tells=_words(step.publishes),
        hears=", ".join(step.listens),
    )


def mermaid(flow: Flow[Any]) -> str:
    """The flow as a Mermaid flowchart: forward down, what undoes a step beside it, the pivot as a gate."""
    drawn = ["flowchart TD", f"    start([{flow.status}])"]
    above: list[str] = ["start"]
    for number, stage in enumerate(flow.stages):
        drawn += _nodes(stage, number)
        drawn += [f"    {one} --> {step.name}" for one in above for step in stage]
        above = [step.name for step in stage]
    drawn += [f"    {one} --> done([completed])" for one in above]
    undone = [step for step in flow.rows if step.undo is not None]
    below = "turned"
    for step in undone:
        drawn.append(f"    undo_{step.name}[/{_words(step.undo)}/]")
        drawn.append(f"    {step.name} -. refused .-> undo_{step.name}")
        drawn.append(f"    undo_{step.name} -.-> {below}")
        below = f"undo_{step.name}"
    drawn.append("    turned([rejected or cancelled])")
    if flow.last is not None:
        drawn.append(f"    turned -.-> {flow.last.name}({_words_of(flow.last)})")
    return "\n".join(drawn)


def _nodes(stage: Stage[Any], number: int) -> list[str]:
    nodes = [f"    {step.name}{_shape(step)}" for step in stage]
    if len(stage) == 1:
        return nodes
    return [f"    subgraph together_{number} [together]", *(f"    {node}" for node in nodes), "    end"]


def _shape(step: Step[Any]) -> str:
    words = _words_of(step)
    if step.pivot:
        return f"{{{{{words}}}}}"
    return f"({words})" if step.only_reads else f"[{words}]"


def _words_of(step: Step[Any]) -> str:
    words = step.name if step.when is None else f"{step.name}, when {_words(step.when)}"
    return f'"{words} #8594; {step.status}"' if step.status else f'"{words}"'


def _words(function: Any) -> str:
    if function is None:
        return ""
    name: str = getattr(function, "__name__", "")
    return "" if name == "<lambda>" else name.strip("_").replace("_", " ")


def _span(seconds: float) -> str:
    if seconds >= HOUR_S:
        return f"{seconds / HOUR_S:g} h"
    return f"{seconds / MINUTE_S:g} min" if seconds >= MINUTE_S else f"{seconds:g} s"
