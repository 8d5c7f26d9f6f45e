"""Exceptions, version 1: what processes could not settle by themselves, for the people who can."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, Cursor, Limit, Page, action, by, create, read, replace, search
from process_apis.exceptions.v1.model import (
    Assignment,
    BulkOutcome,
    BulkReplayed,
    BulkReplaying,
    BulkSettling,
    ExceptionDetail,
    FlowException,
    Instant,
    NewComment,
    Person,
    QueueStates,
    Replayed,
    Replaying,
    Settling,
    Status,
    Word,
)
from system_apis.canonical.refusals import WrongState
from system_apis.canonical.values import AccountId, RecordId


class ExceptionsV1(Contract, Protocol, owner="Order operations"):
    """Queues of business teams with everything that a process could not settle by itself.

    A process with an exception waits; what it did so far stays as it is. It goes on once people have
    settled the exception in one of the ways that are open, or by itself when what stood in its way
    has gone. Of two people who settle the same one, the second is told that it has changed.
    """

    @read(
        "/queues", scope="exceptions.exceptions:read", public_because="Queues are the company's; only counts are told."
    )
    async def list_queues(self) -> QueueStates:
        """Every queue with its team, its due time and how much waits in it."""
        ...

    @search("/exceptions", scope="exceptions.exceptions:read", visible=by("account_id"))
    async def list_exceptions(
        self,
        *,
        queue: Word | None = None,
        status: Status | None = "open",
        assignee: Person | None = None,
        unassigned: bool = False,
        account_id: AccountId | None = None,
        flow: Word | None = None,
        flow_id: RecordId | None = None,
        step: Word | None = None,
        problem: Word | None = None,
        kind: Word | None = None,
        due_before: Instant | None = None,
        updated_since: Instant | None = None,
        limit: Limit = 50,
        cursor: Cursor | None = None,
    ) -> Page[FlowException]:
        """Exceptions, those first that are due first; open ones unless `status` says otherwise."""
        ...

    @read("/exceptions/{exception_id}", scope="exceptions.exceptions:read", visible=by("account_id"))
    async def get_exception(self, exception_id: RecordId) -> ExceptionDetail:
        """An exception with its evidence, what each choice would do, and what was done about it."""
        ...

    @replace(
        "/exceptions/{exception_id}/assignee",
        scope="exceptions.exceptions:work",
        raises=[WrongState],
        visible=by("account_id"),
    )
    async def assign_exception(self, exception_id: RecordId, assignment: Assignment) -> FlowException:
        """Give an exception to somebody, or back to the queue. `If-Match` is the exception's ETag."""
        ...

    @create("/exceptions/{exception_id}/comments", scope="exceptions.exceptions:work", visible=by("account_id"))
    async def comment_exception(self, exception_id: RecordId, comment: NewComment) -> FlowException:
        """Leave a remark on an exception, for whoever works on it next."""
        ...

    @replace(
        "/exceptions/{exception_id}/settlement",
        scope="exceptions.exceptions:settle",
        raises=[WrongState],
        visible=by("account_id"),
    )
    async def settle_exception(self, exception_id: RecordId, settling: Settling) -> FlowException:
        """Settle an exception: `retry`, `skip`, `amend` or `cancel`. `If-Match` is the exception's ETag.

        `retry` asks again under the same key, so what was done already is not done twice. `skip` goes on
        as if it were done. `amend` undoes everything and begins anew with the changes. `cancel` undoes
        everything and ends. Which of them are open depends on the step; the exception lists them.
        """
        ...

    @action("/settlements", scope="exceptions.exceptions:settle", visible=by("account_id"))
    async def settle_many(self, settling: BulkSettling) -> BulkOutcome:
        """Settle many exceptions of a queue alike, or show what that would do: nothing is done unless `dry_run` is false.

        Each is settled by itself, with a result of its own; asking again goes on with those that are left.
        """
        ...

    @action("/replays", scope="exceptions.replays:write", raises=[WrongState], visible=by("account_id"))
    async def replay(self, replaying: Replaying) -> Replayed:
        """Do a process again from one of its steps, or show what that would do: nothing is done unless `dry_run` is false.

        Under its own id, a step that stands is asked again under the same key and makes nothing twice. A
        corrected run has an id of its own and names the old one, everything of which must be undone.
        """
        ...

    @action("/bulk-replays", scope="exceptions.replays:write", visible=by("account_id"))
    async def replay_many(self, replaying: BulkReplaying) -> BulkReplayed:
        """Do many processes again from one step, or show what that would do: nothing is done unless `dry_run` is false.

        Each is done by itself, with a result of its own.
        """
        ...
