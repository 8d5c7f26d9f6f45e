"""Calls that a flow's steps make, noted for its timeline: what, when, how it ended and how long it took.

A read that is repeated while the flow waits, and an attempt that fails again, stay one entry.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from governance.contract import Operation, Refusal, api_of
from process_apis.flow.run import Note, Run, run_under_way

Contract = TypeVar("Contract")


def recorded(target: Contract, contract: type[Contract]) -> Contract:
    """``target`` with every call noted in the run under way."""
    methods: dict[str, Any] = {"__slots__": ()}
    for operation in api_of(contract).operations:
        methods[operation.name] = _recording(operation, target)
    return cast("Contract", type(f"Recorded{contract.__name__}", (), methods)())


def _recording(operation: Operation, target: object) -> Callable[..., Awaitable[Any]]:
    name = operation.name

    async def call(_: object, *args: Any, **kwargs: Any) -> Any:
        method = getattr(target, name)
        run = run_under_way()
        if run is None:
            return await method(*args, **kwargs)
        note = Note(
            at=run.clock.now(), step=run.step, tier=operation.tier, api=operation.api_id, operation=name, outcome="done"
        )
        began = run.clock.monotonic()
        try:
            return await method(*args, **kwargs)
        except Refusal as refusal:
            note.outcome, note.detail = "refused", refusal.detail or refusal.title
            raise
        except Exception as error:
            note.outcome, note.detail = "failed", str(error) or type(error).__name__
            raise
        finally:
            note.duration_ms = round((run.clock.monotonic() - began) * 1000)
            _keep(run, note, operation)

    return call


def _keep(run: Run[Any], note: Note, operation: Operation) -> None:
    last = run.notes[-1] if run.notes else None
    same = last is not None and (last.step, last.api, last.operation) == (note.step, note.api, note.operation)
    if last is not None and same and last.outcome == note.outcome and (operation.safe or note.outcome != "done"):
        last.detail, last.duration_ms = note.detail, note.duration_ms
    else:
        run.notes.append(note)
