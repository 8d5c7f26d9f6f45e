"""Exceptions v1 over the rows that flows leave for people.

Every change is one transaction: what people did, what becomes of the exception, how its flow goes
on, the event and the mark on the timeline are all kept or none. A database that is away is answered
with ``unavailable``; nothing was done then.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from governance.call import Clock, current_call, derive_key
from governance.contract import CursorCodec, NotFound, Page
from governance.contract.refusals import PreconditionFailed
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.exception import ExceptionSettled
from process_apis.exceptions.choosing import would
from process_apis.exceptions.deeds import ANY, Deed, act, deeds_of, forget
from process_apis.exceptions.escalation import Escalation
from process_apis.exceptions.finding import NOBODY, Wanted, find, loads, one
from process_apis.exceptions.migration import MIGRATIONS
from process_apis.exceptions.replays import WantedFlows, account_of, wanted_flows
from process_apis.exceptions.settings import ExceptionSettings
from process_apis.exceptions.v1.contract import ExceptionsV1
from process_apis.exceptions.v1.model import (
    Assignment,
    BulkOutcome,
    BulkReplayed,
    BulkReplaying,
    BulkSettling,
    ExceptionDetail,
    FlowException,
    NewComment,
    QueueStates,
    Replayed,
    Replaying,
    SettledItem,
    Settling,
)
from process_apis.exceptions.v1.presentation import (
    CHOICES,
    Background,
    detail_of,
    exception_of,
    queue_state,
    replayed,
)
from process_apis.flow.queues import DEFAULT
from process_apis.flow.replaying import Replay
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.table import Flow
from process_apis.flow.tables import timeline
from process_apis.flow.timeline import microseconds
from process_apis.flow.trouble import Settlement, decoded
from system_apis.canonical.refusals import WrongState
from system_apis.canonical.values import AccountId, RecordId
from system_apis.notifications.v1.contract import NotificationsV1

LIST = "exceptions.v1.list_exceptions"


class Exceptions(ExceptionsV1):
    """Queues, and what people do about what is in them."""

    needs = (NotificationsV1.send_message,)

    def __init__(
        self,
        notifications: NotificationsV1,
        flows: FlowRuntime,
        clock: Clock,
        cursors: CursorCodec,
        settings: ExceptionSettings | None = None,
    ) -> None:
        settings = settings or ExceptionSettings()
        flows.adopt(MIGRATIONS, forget)
        flows.accompany(Escalation(flows, clock, notifications, settings))
        self._queues = settings.queues()
        self._flows = flows
        self._clock = clock
        self._cursors = cursors

    async def list_queues(self) -> QueueStates:
        """Every queue with its team, its due time and how much waits in it."""
        found = await self._flows.read(partial(loads, now_us=self._now_us))
        return QueueStates(queues=tuple(queue_state(load, self._queues.get(load.queue, DEFAULT)) for load in found))

    async def list_exceptions(
        self,
        *,
        queue: str | None = None,
        status: Any = "open",
        assignee: str | None = None,
        unassigned: bool = False,
        account_id: AccountId | None = None,
        flow: str | None = None,
        flow_id: RecordId | None = None,
        step: str | None = None,
        problem: str | None = None,
        kind: str | None = None,
        due_before: datetime | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[FlowException]:
        """Exceptions, those first that are due first."""
        wanted = Wanted(
            account_ids=current_call().listed_accounts(account_id),
            queue=queue,
            status=status,
            assignee=NOBODY if unassigned else assignee,
            flow=flow,
            flow_id=flow_id,
            step=step,
            problem=problem,
            kind=kind,
            due_before_us=None if due_before is None else microseconds(due_before),
            updated_since_us=None if updated_since is None else microseconds(updated_since),
        )
        filters = tuple(getattr(wanted, name) for name in wanted.__struct_fields__)
        last = self._cursors.decode(LIST, filters, cursor)
        after = (int(last[0]), str(last[1])) if last else None
        rows = await self._flows.read(partial(find, wanted=wanted, after=after, limit=limit + 1))
        items = tuple(exception_of(row, self._now_us) for row in rows)
        return self._cursors.page(LIST, filters, items, limit, _place_in_list)

    async def get_exception(self, exception_id: RecordId) -> ExceptionDetail:
        """An exception with its evidence, the choices, and what was done about it."""
        row = await self._row(exception_id)
        background = await self._flows.read(partial(self._background, row=row))
        return detail_of(row, background, self._now_us)

    async def assign_exception(self, exception_id: RecordId, assignment: Assignment) -> FlowException:
        """Give an exception to somebody, or back to the queue."""
        row = await self._row(exception_id, assignment.account_id)
        wanted = assignment.assignee or NOBODY
        if row.assignee == wanted:
            return exception_of(row, self._now_us)
        _demand_open(row)
        word = "assigned" if wanted else "unassigned"
        deed = Deed(word=word, operation="assign_exception", by=_somebody(), detail=wanted or row.assignee)
        await self._flows.write(
            partial(act, row=row, deed=deed, revision=_revision(), now=self._clock.now(), assignee=wanted)
        )
        return await self._shown(exception_id)

    async def comment_exception(self, exception_id: RecordId, comment: NewComment) -> FlowException:
        """Leave a remark on an exception."""
        row = await self._row(exception_id, comment.account_id)
        key = derive_key("comment", current_call().key)
        deed = Deed(word="commented", operation="comment_exception", by=_somebody(), detail=comment.text, key=key)
        await self._flows.write(partial(act, row=row, deed=deed, revision=ANY, now=self._clock.now()))
        return await self._shown(exception_id)

    async def settle_exception(self, exception_id: RecordId, settling: Settling) -> FlowException:
        """Settle an exception by retry, skip, amend or cancel."""
        row = await self._row(exception_id, settling.account_id)
        settlement = Settlement(
            choice=settling.choice, reason=settling.reason, by=_somebody(), body=settling.amendment.encode()
        )
        if row.settlement and decoded(row.settlement) == settlement:
            return exception_of(row, self._now_us)  # asked again after its answer was lost
        _demand_open(row)
        _demand_offered(row, settling.choice)
        if not await self._settled(row, settlement, _revision()):
            raise WrongState(record_id=exception_id, state="settled or gone on", needs="open")
        return await self._shown(exception_id)

    async def settle_many(self, settling: BulkSettling) -> BulkOutcome:
        """Settle many exceptions of a queue alike, or show what that would do."""
        wanted = Wanted(
            account_ids=current_call().listed_accounts(settling.account_id),
            queue=settling.queue,
            status="open",
            assignee=settling.assignee,
            flow=settling.flow,
            step=settling.step,
            problem=settling.problem,
            kind=settling.kind,
        )
        rows = await self._flows.read(partial(find, wanted=wanted, after=None, limit=settling.limit + 1))
        items = tuple([await self._one_of_many(row, settling) for row in rows[: settling.limit]])
        return BulkOutcome(dry_run=settling.dry_run, items=items, more=len(rows) > settling.limit)

    async def replay(self, replaying: Replaying) -> Replayed:
        """Do a process again from one of its steps, or show what that would do."""
        if await self._flows.read(partial(account_of, flow_id=replaying.flow_id)) != replaying.account_id:
            raise NotFound()
        done = await self._again(replaying)
        if not done.allowed and not replaying.dry_run:
            raise WrongState(record_id=replaying.flow_id, state="as it is", needs="another step", detail=done.why)
        return replayed(replaying.flow_id, replaying.account_id, done, dry_run=replaying.dry_run)

    async def replay_many(self, replaying: BulkReplaying) -> BulkReplayed:
        """Do many processes again from one step, or show what that would do."""
        wanted = WantedFlows(
            flow=replaying.flow,
            account_ids=current_call().listed_accounts(replaying.account_id),
            outcome=replaying.outcome,
            problem=replaying.problem,
            since_us=None if replaying.started_since is None else microseconds(replaying.started_since),
            until_us=None if replaying.started_until is None else microseconds(replaying.started_until),
        )
        rows = await self._flows.read(partial(wanted_flows, wanted=wanted, limit=replaying.limit + 1))
        items: list[Replayed] = []
        for row in rows[: replaying.limit]:
            each = Replaying(
                account_id=row.account_id, flow_id=row.flow_id, step=replaying.step, reason=replaying.reason,
                corrected=replaying.corrected, dry_run=replaying.dry_run,
            )  # fmt: skip
            done = await self._again(each)
            items.append(replayed(row.flow_id, row.account_id, done, dry_run=replaying.dry_run))
        return BulkReplayed(dry_run=replaying.dry_run, items=tuple(items), more=len(rows) > replaying.limit)

    async def _again(self, replaying: Replaying) -> Replay:
        by, reason, dry_run = _somebody(), replaying.reason, replaying.dry_run
        if not replaying.corrected:
            return await self._flows.replay(replaying.flow_id, replaying.step, by=by, reason=reason, dry_run=dry_run)
        key = derive_key("replay", current_call().key)
        body = replaying.correction.encode()
        return await self._flows.rerun(
            replaying.flow_id, replaying.step, body, key, by=by, reason=reason, dry_run=dry_run
        )

    async def _one_of_many(self, row: Any, settling: BulkSettling) -> SettledItem:
        settlement = Settlement(choice=settling.choice, reason=settling.reason, by=_somebody())
        outcome = "would_settle"
        if settling.choice not in CHOICES.decode(row.choices):
            outcome = "not_offered"
        elif not settling.dry_run:
            try:
                outcome = "settled" if await self._settled(row, settlement, str(row.revision)) else "gone"
            except PreconditionFailed:
                outcome = "changed"
        flow = self._flows.registered.get(row.flow)
        state = await self._flows.read(partial(_record, flow=flow, flow_id=row.flow_id)) if settling.dry_run else None
        return SettledItem(
            exception_id=row.exception_id,
            account_id=row.account_id,
            flow_id=row.flow_id,
            step=row.step,
            outcome=outcome,
            would=would(settling.choice, row.step, flow, state) if settling.dry_run else "",
        )

    async def _settled(self, row: Any, settlement: Settlement, revision: str) -> bool:
        deed = Deed(
            word="decided", operation="settle_exception", by=settlement.by,
            detail=f"{settlement.choice}: {settlement.reason}",
        )  # fmt: skip
        event = happened(
            ExceptionSettled(
                exception_id=row.exception_id, flow_id=row.flow_id, account_id=row.account_id, choice=settlement.choice
            ),
            subject=row.flow_id,
            account_id=row.account_id,
        )
        now = self._clock.now()

        def also(connection: sa.Connection) -> None:
            act(connection, row, deed, revision, now)
            append(connection, (event,), now)

        return await self._flows.settle(row.exception_id, settlement, also)

    async def _row(self, exception_id: str, account_id: str | None = None) -> Any:
        row = await self._flows.read(partial(one, exception_id=exception_id))
        if row is None or account_id not in (None, row.account_id):
            raise NotFound()
        return row

    async def _shown(self, exception_id: str) -> FlowException:
        return exception_of(await self._row(exception_id), self._now_us)

    def _background(self, connection: sa.Connection, row: Any) -> Background:
        done = sa.select(timeline).where(timeline.c.flow_id == row.flow_id).order_by(timeline.c.position)
        flow = self._flows.registered.get(row.flow)
        return Background(
            deeds=deeds_of(connection, row.exception_id),
            entries=connection.execute(done).all(),
            flow=flow,
            state=_record(connection, flow, row.flow_id),
        )

    @property
    def _now_us(self) -> int:
        return microseconds(self._clock.now())


def _record(connection: sa.Connection, flow: Flow[Any] | None, flow_id: str) -> Any:
    try:
        return flow.book.load(connection, flow_id) if flow is not None else None
    except (NotFound, msgspec.MsgspecError):  # retention took it, or it is what the exception is about
        return None


def _somebody() -> str:
    return current_call().on_behalf_of.subject


def _revision() -> str:
    """What If-Match names; any, for a caller inside that names none."""
    return current_call().if_match or ANY


def _demand_open(row: Any) -> None:
    if row.status != "open":
        raise WrongState(record_id=row.exception_id, state=row.status, needs="open")


def _demand_offered(row: Any, choice: str) -> None:
    choices = CHOICES.decode(row.choices)
    if choice not in choices:
        offered = ", ".join(choices)
        raise WrongState(
            record_id=row.exception_id, state="open", needs=offered,
            detail=f"{row.step} can't be settled by {choice}; open are: {offered}.",
        )  # fmt: skip


def _place_in_list(item: FlowException) -> tuple[str | int, ...]:
    return (microseconds(item.due_at), item.exception_id)
