"""What each choice would do, in words, from the flow's table and its record."""

from __future__ import annotations

from typing import Any

from process_apis.flow.signals import CANCEL
from process_apis.flow.table import Flow
from process_apis.flow.trouble import AMEND_STEP, UNDO


def would(choice: str, step: str, flow: Flow[Any] | None, state: Any) -> str:
    """What ``choice`` would do about ``step`` of a flow with this record; None where either is not known here."""
    match choice:
        case "retry":
            return _retry(step)
        case "skip":
            return _skip(step, flow)
        case "amend":
            return f"{_undoing(step, flow, state)} and the process begins anew with the changes, from its first step."
        case "cancel" if _hears_of_it(step, flow):
            return "What has not left stays where it is, what has left comes back, and the process ends cancelled."
        case "cancel":
            return f"{_undoing(step, flow, state)} and the process ends cancelled."
        case _:
            return ""


def _retry(step: str) -> str:
    if step.startswith(UNDO):
        return f"The undo of {step.removeprefix(UNDO)} is asked again; what is undone already stays undone."
    return f"{step} is asked again under the same key; what it did already is not done twice."


def _skip(step: str, flow: Flow[Any] | None) -> str:
    if step.startswith(UNDO):
        return f"{step.removeprefix(UNDO)} counts as undone; what it left in that system stays there."
    if step == AMEND_STEP:
        return "The change is given up; the process goes on as it was."
    names = [row.name for row in flow.rows] if flow is not None else []
    following = names[names.index(step) + 1] if step in names[:-1] else ""
    goes_on = f"goes on with {following}" if following else "goes on"
    return f"The process {goes_on} as if {step} were done; nothing of it is done here."


def _hears_of_it(step: str, flow: Flow[Any] | None) -> bool:
    """Whether the step is past the pivot, where a cancel is something that it is told."""
    past = False
    for row in flow.rows if flow is not None else ():
        if row.name == step:
            return past and CANCEL in row.listens
        past = past or row.pivot
    return False


def _undoing(step: str, flow: Flow[Any] | None, state: Any) -> str:
    """Every step up to this one that can be undone is asked to, in reverse order."""
    undone: list[str] = []
    for row in flow.rows if flow is not None and state is not None else ():
        if row.undo is not None and (row.when is None or row.when(state)):
            undone.append(row.name)
        if row.name == step:
            break
    if not undone:
        return "What was done is undone,"
    return f"{', '.join(reversed(undone))} {'is' if len(undone) == 1 else 'are'} undone,"
