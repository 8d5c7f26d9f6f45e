"""What each choice would do, in words, from the flow's table and what was done so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from process_apis.flow.table import Flow
from process_apis.flow.trouble import AMEND_STEP, UNDO


def would(choice: str, step: str, flow: Flow[Any] | None, done: Sequence[str]) -> str:
    """What ``choice`` would do about ``step``; ``done`` are the steps that were begun, in order."""
    match choice:
        case "retry":
            return _retry(step)
        case "skip":
            return _skip(step, flow)
        case "amend":
            return f"{_undoing(flow, done)} and the process begins anew with the changes, from its first step."
        case "cancel":
            return f"{_undoing(flow, done)} and the process ends cancelled."
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


def _undoing(flow: Flow[Any] | None, done: Sequence[str]) -> str:
    undone = [row.name for row in flow.rows if row.undo is not None and row.name in done] if flow is not None else []
    if not undone:
        return "Nothing has to be undone,"
    return f"{', '.join(reversed(undone))} {'is' if len(undone) == 1 else 'are'} undone,"
