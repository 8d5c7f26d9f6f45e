"""A step's record and what it means for the flow's own tables, in one transaction.

The workflow engine records each step in a transaction of its own. Our tables are in the same
database, so their changes ride in that transaction: a state can't be ahead of or behind the record
whatever is killed when, and one flush to disk serves both. It hangs on the statement with which the
engine records a step. Of a record that came without it the change is handed back, to be written at once in
a transaction of its own: the flow goes on, and whoever reads the log learns that the engine has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

Write = Callable[[sa.Connection], None]
RECORD_TABLE = "operation_outputs"


class CheckpointLost(RuntimeError):
    """The engine would record a step of which the flow's own change can't be told."""


class Checkpoints:
    """The changes that wait for their step to be recorded."""

    def __init__(self, engine: sa.Engine) -> None:
        self._waiting: dict[tuple[str, int], Write] = {}
        self._written: set[tuple[str, int]] = set()
        event.listen(engine, "after_cursor_execute", self._after)
        self._engine = engine

    def close(self) -> None:
        """Stop listening to the engine."""
        event.remove(self._engine, "after_cursor_execute", self._after)

    def expect(self, workflow_id: str, step_id: int, write: Write) -> None:
        """Have ``write`` run in the transaction that records this step; again, if that has to be repeated."""
        self._waiting[workflow_id, step_id] = write

    def settle(self, workflow_id: str, step_id: int) -> Write | None:
        """Forget a step that was recorded; its change where it was recorded without it, else None."""
        expected = self._waiting.pop((workflow_id, step_id), None)
        written = (workflow_id, step_id) in self._written
        self._written.discard((workflow_id, step_id))
        return None if written else expected

    def forget(self, workflow_id: str, step_id: int) -> None:
        """Drop the change of a step that was not recorded."""
        self._waiting.pop((workflow_id, step_id), None)
        self._written.discard((workflow_id, step_id))

    def _after(self, connection: sa.Connection, _: Any, statement: str, *rest: Any) -> None:
        if not self._waiting or RECORD_TABLE not in statement or not statement.startswith("INSERT"):
            return
        values = rest[1].compiled_parameters[0]
        key = (values.get("workflow_uuid"), values.get("function_id"))
        write = self._waiting.get(key)
        if write is not None:
            write(connection)
            self._written.add(key)
