"""Bodies and answers of exceptions v1. This version owns all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from system_apis.canonical.values import AccountId, RecordId

Word = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_:.-]{0,79}$", description="The name of a queue, a process or a step.")
]
Person = Annotated[
    str,
    Meta(
        min_length=1, max_length=120, pattern=r"^[!-~]([ -~]*[!-~])?$", description="Who works on it, by their subject."
    ),
]
Instant = Annotated[datetime, Meta(tz=True)]
Reason = Annotated[str, Meta(min_length=3, max_length=2_000, description="Why, for those who read it later.")]
Document = Annotated[
    str, Meta(max_length=20_000, description="A JSON object as text.", examples=['{"requested_on": "2026-12-01"}'])
]
Choice = Literal["retry", "skip", "amend", "cancel"]
Status = Literal["open", "settled", "closed"]


class QueueState(Struct, frozen=True, kw_only=True):
    """A queue, its team, and how much waits in it."""

    queue: str
    owner: str
    """The team that works on it."""
    summary: str
    """What falls to it."""
    due_s: int
    """An exception should be settled this many seconds after it was opened."""
    escalate_to: str
    """Who is written to about one that was not; empty: nobody."""
    open: int
    unassigned: int
    overdue: int
    escalated: int
    next_due_at: datetime | None


class QueueStates(Struct, frozen=True, kw_only=True):
    """All queues."""

    queues: tuple[QueueState, ...]


class FlowException(Struct, frozen=True, kw_only=True):
    """Something that a process could not settle by itself."""

    exception_id: RecordId
    account_id: AccountId
    flow_id: RecordId
    """The process's id: an order's, a quote's, a return's."""
    flow: str
    queue: str
    step: str
    """What is stuck: a step, or its undo as `undo:step`."""
    kind: str
    """`refusal`, `outage`, `fault`, `undo` or `poison`; an open list of words."""
    problem: str
    """The problem type, such as `wrong-state`."""
    reason: str
    status: Status
    """`closed`: the process went on, or was cancelled, before anybody settled it."""
    assignee: str
    """Empty: nobody has it."""
    choices: tuple[str, ...]
    """How it can be settled now."""
    opened_at: datetime
    updated_at: datetime
    due_at: datetime
    overdue: bool
    escalated_at: datetime | None
    settled_at: datetime | None
    choice: str
    """How it was settled; empty while it is not."""
    settled_by: str
    revision: int
    """Counts what people did about it; it is the ETag."""


class ChoiceOpen(Struct, frozen=True, kw_only=True):
    """One way to settle it, and what would happen."""

    choice: str
    would: str


class Tried(Struct, frozen=True, kw_only=True):
    """One thing that the process did or met, the newest last."""

    at: datetime
    step: str
    api: str
    operation: str
    outcome: str
    detail: str
    duration_ms: int


class Deed(Struct, frozen=True, kw_only=True):
    """One thing that people, or the clock, did about it."""

    number: int
    at: datetime
    deed: str
    """`assigned`, `unassigned`, `commented`, `decided`, `escalated`, `notified`; an open list of words."""
    by: str
    detail: str


class BusinessId(Struct, frozen=True, kw_only=True):
    """A number of a document of the process."""

    kind: str
    value: str


class Evidence(Struct, frozen=True, kw_only=True):
    """What is known about it."""

    last_answer: str
    attempts: int
    failing_since: datetime | None
    going_back: bool
    """The process was undoing what it did."""
    past_pivot: bool
    """There is no way back any more: the goods, or the money, have left."""
    revision: int
    """How often the process began anew."""
    status: str
    stage: str
    ids: tuple[BusinessId, ...]
    tried: tuple[Tried, ...]
    """The newest of the timeline; all of it is at `/process/timeline/v1/timelines/{flow_id}`."""


class ExceptionDetail(FlowException, frozen=True, kw_only=True):
    """An exception with its evidence, the choices and what each would do, and what was done about it."""

    would: tuple[ChoiceOpen, ...]
    evidence: Evidence
    deeds: tuple[Deed, ...]


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who works on it."""

    account_id: AccountId
    """Whose exception it is."""
    assignee: Person | None
    """None: nobody."""


class NewComment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A remark for whoever works on it next."""

    account_id: AccountId
    """Whose exception it is."""
    text: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Settling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How it is settled."""

    account_id: AccountId
    """Whose exception it is."""
    choice: Choice
    reason: Reason
    amendment: Document = ""
    """What `amend` changes: the body that the process's own amendment takes, as JSON text."""

    def __post_init__(self) -> None:
        if (self.choice == "amend") != bool(self.amendment):
            raise ValueError("amendment is what `amend` changes: give it with that choice, and with no other")
        if self.amendment:
            try:
                msgspec.json.decode(self.amendment, type=dict[str, object])
            except msgspec.DecodeError:
                raise ValueError('amendment is JSON text of an object, such as "{\\"requested_on\\": …}"') from None


class BulkSettling(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many of one queue settled alike. While `dry_run` is true nothing is done."""

    account_id: AccountId | None
    """Null: of all accounts that you see."""
    queue: Word
    choice: Literal["retry", "skip", "cancel"]
    reason: Reason
    flow: Word | None = None
    step: Word | None = None
    problem: Word | None = None
    kind: Word | None = None
    assignee: Person | None = None
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most; those first that are due first.")] = 50
    dry_run: bool = True


class SettledItem(Struct, frozen=True, kw_only=True):
    """What became, or would become, of one of many."""

    exception_id: RecordId
    account_id: AccountId
    flow_id: RecordId
    step: str
    outcome: str
    """`would_settle`, `settled`, `not_offered`, `changed` or `gone`."""
    would: str


class BulkOutcome(Struct, frozen=True, kw_only=True):
    """A result for each."""

    dry_run: bool
    items: tuple[SettledItem, ...]
    more: bool
    """Whether more of them fit: ask again."""


class Replaying(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One process done again. While `dry_run` is true nothing is done."""

    account_id: AccountId
    """Whose process it is."""
    flow_id: RecordId
    step: Word
    """From this step on."""
    reason: Reason
    corrected: bool = False
    """As a new run that names the old one, where everything of the old one was undone."""
    correction: Document = ""
    """What is different in the new run, as the process reads it; only with `corrected`."""
    dry_run: bool = True

    def __post_init__(self) -> None:
        if self.correction and not self.corrected:
            raise ValueError("a correction makes a new run: set corrected to true with it")


class BulkReplaying(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many processes done again from one step. While `dry_run` is true nothing is done."""

    account_id: AccountId | None
    """Null: of all accounts that you see."""
    flow: Word
    """The process, such as `order_to_fulfillment`."""
    step: Word
    reason: Reason
    outcome: Word | None = None
    """Those that ended so, such as `rejected`, or are `under_way`."""
    problem: Word | None = None
    """Those that had an exception with this problem type."""
    started_since: Instant | None = None
    started_until: Instant | None = None
    corrected: bool = False
    limit: Annotated[int, Meta(ge=1, le=200, description="How many at most, the oldest first.")] = 50
    dry_run: bool = True


class Replayed(Struct, frozen=True, kw_only=True):
    """What doing a process again does, or would do."""

    flow_id: RecordId
    """The process that was asked for."""
    account_id: AccountId
    outcome: str
    """`would_run`, `runs` or `not_allowed`."""
    why: str
    """Why it is not allowed."""
    runs_as: RecordId
    """The process that goes on: of a corrected run the new one."""
    steps: tuple[str, ...]
    """What is done, as far as it can be told beforehand."""
    new_effects: bool
    """Everything was undone, so what it does it does anew; otherwise nothing is done twice."""


class BulkReplayed(Struct, frozen=True, kw_only=True):
    """A result for each."""

    dry_run: bool
    items: tuple[Replayed, ...]
    more: bool
    """Whether more of them fit."""
