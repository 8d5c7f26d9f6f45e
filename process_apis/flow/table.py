"""A flow as a table: steps in order, each with its undo, what it leads to and where it waits.

Steps are methods of one class that holds the contracts. A step takes the ``Run`` and returns the
flow's new state. It may run again after a crash, under the same keys, so it only calls operations
that are keyed or only read. How it can end otherwise:

============================  ==========================  ==================================
what a step raises            before and at the pivot     after the pivot
============================  ==========================  ==================================
a ``Refusal``                 backward, ends rejected     on hold, asked again from time to time
``NotYet``                    asked again later           asked again later
anything else: an outage      asked again with backoff    asked again with backoff
============================  ==========================  ==================================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from msgspec import Struct

if TYPE_CHECKING:
    from process_apis.flow.run import Run

State = TypeVar("State")


class NotYet(Exception):
    """What the step waits for has not come; it is asked again later."""


class Refused(Struct, frozen=True):
    """Why a flow turned back: the problem type and what it said."""

    problem: str
    reason: str


class Step(Struct, Generic[State], frozen=True, kw_only=True):
    """One row. The first cell of a row is what is done; the last what the flow is called then."""

    name: str
    do: Callable[[Any, Run[State]], Awaitable[State]]
    undo: Callable[[Any, Run[State]], Awaitable[bool]] | None = None
    """Takes back what ``do`` did or may still do; whether there was anything. Refers to it by its key."""
    when: Callable[[State], bool] | None = None
    """Whether the flow has this step; it may use only what earlier steps settled for good."""
    only_reads: bool = False
    """Changes nothing outside, so it shares the checkpoint of the step after it."""
    pivot: bool = False
    """From here on there is no way back."""
    status: str | None = None
    """The flow's status once the step is done; None leaves it."""


class Book(Protocol[State]):
    """How a flow's state is kept in a table of its own, in the transaction of the checkpoint."""

    def load(self, connection: sa.Connection, flow_id: str) -> State:
        """The state as of the last checkpoint."""
        ...

    def add(self, connection: sa.Connection, flow_id: str, state: State) -> None:
        """Keep the first state."""
        ...

    def save(self, connection: sa.Connection, flow_id: str, state: State) -> None:
        """Keep a new state."""
        ...

    def mark(self, state: State, status: str | None, stage: str, at: datetime) -> State:
        """The state under a new status (None: the same) and stage."""
        ...

    def explain(self, state: State, why: Refused) -> State:
        """The state with the reason for what is wrong with it."""
        ...


class Flow(Struct, Generic[State], frozen=True, kw_only=True, eq=False):
    """A business process as a table."""

    name: str
    api_id: str
    """The API that calls in the flow's name, such as ``order_to_fulfillment.v1``."""
    book: Book[State]
    steps: tuple[Step[State], ...]
    last: Step[State] | None = None
    """Done after the way back, when the state says rejected or cancelled: telling those who wait."""

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        if len(set(names)) != len(names):
            raise ValueError(f"flow {self.name}: two steps have the same name")
        if sum(step.pivot for step in self.steps) != 1:
            raise ValueError(f"flow {self.name}: name exactly one pivot")
        if self.steps[-1].only_reads:
            raise ValueError(f"flow {self.name}: the last step only reads, so nothing would keep its result")

    @property
    def groups(self) -> tuple[tuple[Step[State], ...], ...]:
        """The steps that share a checkpoint, in order."""
        groups: list[tuple[Step[State], ...]] = []
        shared: tuple[Step[State], ...] = ()
        for step in self.steps:
            shared = (*shared, step)
            if not step.only_reads:
                groups.append(shared)
                shared = ()
        return tuple(groups)
