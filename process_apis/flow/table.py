"""A flow as a table: steps in order, each with its undo, what it leads to and where it waits.

Steps are methods of one class that holds the contracts. A step takes the ``Run`` and returns the
flow's new state. It may run again after a crash, under the same keys, so it only calls operations
that are keyed or only read. How it can end otherwise:

============================  ==========================  ==================================
what a step raises            before and at the pivot     after the pivot
============================  ==========================  ==================================
a ``Refusal``                 backward, ends rejected     an exception, for people to settle
``NotYet``                    asked again later           asked again later
an outage                     asked again with backoff    asked again with backoff
an outage that lasts          an exception                an exception
a fault in the flow itself    backward, ends rejected     an exception
============================  ==========================  ==================================

How long an outage may last, and whether a refusal before the pivot is for people too, is the step's
``Retry``. A step that has been released keeps its name: keys are made of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from process_apis.events.outbox import NewEvent
    from process_apis.flow.run import Run

State = TypeVar("State")
STEP_TIMEOUT_S = 60.0


class NotYet(Exception):
    """What the step waits for has not come; it is asked again later, or with ``due_at`` not before then.

    A step that listens, or names a time, leaves memory: the flow is a row until the time has come, a
    signal arrived, or somebody cancelled or amended it. With ``soon`` one that listens is asked again a few
    times before it leaves, like one that does not.
    """

    def __init__(self, *, due_at: datetime | None = None, soon: bool = False) -> None:
        super().__init__("not yet")
        self.due_at = due_at
        self.soon = soon


class Retry(Struct, frozen=True, kw_only=True):
    """What a step does about each way in which it can fail."""

    outage_s: float = 3_600.0
    """Transient: asked again with growing pauses for this long, after which people are told as well."""
    refusal: Literal["back", "people"] = "back"
    """Business refusal before the pivot: turn back and undo, or let people decide first."""
    look_up: Callable[[Any, Run[Any]], Awaitable[Any | None]] | None = None
    """Unknown outcome: what the step came to, or None when nothing came of it. Without it the step is asked
    again under the same key, which every write of the system tier answers with what was made."""


BACK = Retry()
PEOPLE = Retry(refusal="people")


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
    queue: str = ""
    """The business queue that settles its exceptions; empty: the flow's."""
    queues: Mapping[str, str] = MappingProxyType({})
    """Other queues for some of its problems, by problem type such as ``insufficient-stock``."""
    timeout_s: float = STEP_TIMEOUT_S
    """A call of the step that takes longer counts as an outage: its outcome is then found out under the same key."""
    retry: Retry = BACK
    skippable: bool | None = None
    """Whether people may settle its exception by going on without it; None: only after the pivot."""
    publishes: Callable[[State], tuple[NewEvent, ...]] | None = None
    """Events that are true once the step is done; they are written in the transaction of its checkpoint."""
    listens: tuple[str, ...] = ()
    """Signals that it may read with ``run.signal(name)``; one that arrives wakes it."""


class Together(Generic[State]):
    """Steps that are done at the same time, from the same state; each keeps its own undo.

    Their results are merged by the fields that each changed, so two of them must not change the same one.
    """

    __slots__ = ("steps",)

    def __init__(self, *steps: Step[State]) -> None:
        self.steps = steps


Stage = tuple[Step[State], ...]
"""One step, or several that are done together."""


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
    steps: tuple[Step[State] | Together[State], ...]
    last: Step[State] | None = None
    """Done after the way back, when the state says rejected or cancelled: telling those who wait."""
    status: str = "accepted"
    """What the flow is called before a step has given it a status."""
    queue: str = "orders"
    """The business queue that settles exceptions of steps which name none."""
    publishes: Callable[[State], tuple[NewEvent, ...]] | None = None
    """Events of its end, from the state as it is then: completed, rejected or cancelled."""
    news: Callable[[State], Sequence[NewEvent]] | None = None
    """Events of what the last step did, which its state holds until the next one is done; each with a source id."""
    in_turn: Callable[[State], str] | None = None
    """Whom it must not overtake: runs with the same answer pass up to their pivots one after another; empty: nobody."""
    amend: Callable[[State, bytes], State] | None = None
    """The state that the flow begins anew with, once everything is undone, from the one it had and what is wished.

    A wish that people have as they settle an exception names whose it is as ``by``.
    """
    renew: Callable[[State, str, bytes], State] | None = None
    """The first state of a corrected run of this id, from the one that ended and the correction.

    That is a JSON object which names whose it is as ``by``, and nothing else where nothing is corrected.
    """

    def __post_init__(self) -> None:
        names = [step.name for step in self.rows]
        if len(set(names)) != len(names):
            raise ValueError(f"flow {self.name}: two steps have the same name")
        if sum(step.pivot for step in self.rows) != 1:
            raise ValueError(f"flow {self.name}: name exactly one pivot")
        if any(step.pivot for row in self.steps if isinstance(row, Together) for step in row.steps):
            raise ValueError(f"flow {self.name}: the pivot stands alone, not together with others")
        if all(step.only_reads for step in self.stages[-1]):
            raise ValueError(f"flow {self.name}: the last step only reads, so nothing would keep its result")

    @property
    def rows(self) -> tuple[Step[State], ...]:
        """Every step, in the order of the table."""
        return tuple(step for stage in self.stages for step in stage)

    @property
    def stages(self) -> tuple[Stage[State], ...]:
        """The steps, those that are done together beside each other."""
        return tuple(row.steps if isinstance(row, Together) else (row,) for row in self.steps)

    @property
    def groups(self) -> tuple[tuple[Stage[State], ...], ...]:
        """The stages that share a checkpoint, in order."""
        groups: list[tuple[Stage[State], ...]] = []
        shared: tuple[Stage[State], ...] = ()
        for stage in self.stages:
            shared = (*shared, stage)
            if not all(step.only_reads for step in stage):
                groups.append(shared)
                shared = ()
        return tuple(groups)


def merged(before: State, results: Sequence[tuple[str, State]]) -> State:
    """The state with what each of these steps changed, all having begun with ``before``.

    Raises:
        ValueError: two steps changed the same field, or one the kind of the state.
    """
    changed: dict[str, tuple[str, Any]] = {}
    for name, after in results:
        if type(after) is not type(before):
            raise ValueError(f"step {name} made another kind of state")
        for field in cast("Any", before).__struct_fields__:
            value = getattr(after, field)
            if value == getattr(before, field):
                continue
            if field in changed:
                raise ValueError(f"steps {changed[field][0]} and {name} both change {field}")
            changed[field] = (name, value)
    return cast("State", replace(cast("Any", before), **{field: value for field, (_, value) in changed.items()}))
