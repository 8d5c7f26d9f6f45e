"""What a step sees of its flow: the state, the call it makes, and what it notes for the timeline."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

from governance.call import Clock, child_key, enter, leave
from governance.contract import operation_of
from process_apis.flow.initiator import Initiator
from process_apis.flow.table import STEP_TIMEOUT_S

State = TypeVar("State")


class Note(Struct, kw_only=True):
    """One entry of the timeline in the making."""

    at: datetime
    step: str
    tier: str
    api: str
    operation: str
    outcome: str
    detail: str = ""
    duration_ms: int = 0


class Run(Generic[State]):
    """One flow under way in this process."""

    def __init__(
        self, *, flow_id: str, api_id: str, key: str, revision: int, initiator: Initiator, state: State, clock: Clock
    ) -> None:
        self.flow_id = flow_id
        self.api_id = api_id
        self.key = key
        self.revision = revision
        self.initiator = initiator
        self.state = state
        self.clock = clock
        self.step = ""
        self.timeout_s = STEP_TIMEOUT_S
        self.notes: list[Note] = []
        self.cancel_reason = ""
        self.signals: dict[str, bytes] = {}
        self.listens: tuple[str, ...] = ()

    def branch(self) -> Run[State]:
        """The same flow for a step that is done beside others."""
        beside = Run(
            flow_id=self.flow_id, api_id=self.api_id, key=self.key, revision=self.revision,
            initiator=self.initiator, state=self.state, clock=self.clock,
        )  # fmt: skip
        beside.cancel_reason = self.cancel_reason
        return beside

    def signal(self, name: str) -> bytes | None:
        """The newest body of a signal that the step listens to; None when none has come.

        Raises:
            LookupError: the step's row does not name it.
        """
        if name not in self.listens:
            raise LookupError(f"step {self.step} does not listen to {name}")
        return self.signals.get(name)

    @contextmanager
    def at(self, step: str) -> Generator[None]:
        """Calls made inside have the keys of ``step``; parts of one step read like ``ship:HAM``."""
        before, self.step = self.step, step
        deadline = self.clock.monotonic() + self.timeout_s
        token = enter(self.initiator.call(self.api_id, self.key, step, self.revision, deadline))
        noted = _under_way.set(self)
        try:
            yield
        finally:
            _under_way.reset(noted)
            leave(token)
            self.step = before

    def key_of(self, operation: Callable[..., Any], step: str) -> str:
        """The key under which ``step`` called ``operation``: the reference of what it made there."""
        return child_key(self.key, operation_of(operation).id, step, self.revision)

    def say(self, detail: str) -> None:
        """Put what the last call came to into words, for the timeline."""
        if self.notes:
            self.notes[-1].detail = detail

    def note(self, step: str, operation: str, outcome: str, detail: str = "") -> None:
        """Note a decision of the flow itself."""
        self.notes.append(
            Note(
                at=self.clock.now(),
                step=step,
                tier="process",
                api=self.api_id,
                operation=operation,
                outcome=outcome,
                detail=detail,
            )
        )


_under_way: ContextVar[Run[Any] | None] = ContextVar("tiergate_run", default=None)


def run_under_way() -> Run[Any] | None:
    """The flow whose step is being done, or None outside every flow."""
    return _under_way.get()
