"""Escalation: an exception that is past its due time is marked, told of as an event, and its team is written to.

Every process that runs flows looks, and whoever looks first takes a row: marking and event are one
transaction, so each exception is escalated once. A team that has an address gets a letter afterwards,
under a key of the exception, until it is known to be sent: a process killed in between leaves it to
the next look, and the reader gets one. While the mail system is away letters wait; while the
database is away, everything does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from governance.call import Accounts, Call, Clock, Principal, derive_key, enter, leave
from governance.contract import Problem, Refusal
from governance.contract.refusals import SystemUnavailable
from process_apis.events.event import NewEvent
from process_apis.events.kind import happened
from process_apis.events.outbox import append
from process_apis.events.taxonomy.exception import ExceptionEscalated as Escalated
from process_apis.exceptions.deeds import ANY, API, Deed, act
from process_apis.exceptions.settings import ExceptionSettings
from process_apis.exceptions.tables import exception_deeds
from process_apis.flow.queues import Queue
from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.tables import exceptions
from process_apis.flow.timeline import instant, microseconds
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.notifications.v1.model import ExceptionEscalated, NewMessage

log = logging.getLogger("tiergate.exceptions")
LOOK_S = 15.0
AT_ONCE = 50
CLOCK = "clock"
"""Who does what nobody does."""


class Escalation:
    """Looks for what is overdue for as long as the process lives."""

    def __init__(
        self, flows: FlowRuntime, clock: Clock, notifications: NotificationsV1, settings: ExceptionSettings
    ) -> None:
        self._flows = flows
        self._clock = clock
        self._notifications = notifications
        self._queues = settings.queues()
        self._own_due = settings.changed_due()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look now and then."""
        self._task = asyncio.create_task(self._go(), name="escalation")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> int:
        """Escalate what is overdue, and write what was not written; how many were escalated.

        Raises:
            SystemUnavailable: the database is away.
        """
        if self._own_due:
            await self._flows.write(self._due)
        escalated = await self._flows.write(self._mark)
        written_to = [name for name, queue in self._queues.items() if queue.escalate_to]
        for row in await self._flows.read(partial(_unwritten, queues=written_to)):
            await self._write(row, self._queues[row.queue])
        return escalated

    async def _go(self) -> None:
        while True:
            try:
                if self._flows.running:
                    await self.look()
            except SystemUnavailable as error:
                log.warning("overdue exceptions can't be looked for: %s", error)
            await asyncio.sleep(LOOK_S)

    def _due(self, connection: sa.Connection) -> None:
        """Give open exceptions the due time that the company gave their queue."""
        for name, due_s in self._own_due.items():
            due_us = exceptions.c.opened_us + due_s * 1_000_000
            of_queue = (exceptions.c.queue == name, exceptions.c.status == "open", exceptions.c.due_us != due_us)
            connection.execute(sa.update(exceptions).where(*of_queue).values(due_us=due_us))

    def _mark(self, connection: sa.Connection) -> int:
        now = self._clock.now()
        overdue = (
            sa.select(exceptions)
            .where(
                exceptions.c.status == "open",
                exceptions.c.due_us < microseconds(now),
                exceptions.c.escalated_us.is_(None),
            )
            .order_by(exceptions.c.due_us)
            .limit(AT_ONCE)
        )
        marked = 0
        for row in connection.execute(overdue).all():
            this = sa.update(exceptions).where(
                exceptions.c.exception_id == row.exception_id,
                exceptions.c.status == "open",
                exceptions.c.escalated_us.is_(None),
            )
            if connection.execute(this.values(escalated_us=microseconds(now))).rowcount:
                act(connection, row, Deed(word="escalated", operation="escalate", by=CLOCK), ANY, now)
                append(connection, (_event(row),), now)
                marked += 1
        return marked

    async def _write(self, row: Any, queue: Queue) -> None:
        message = NewMessage(
            account_id=row.account_id,
            to=queue.escalate_to,
            to_name=queue.owner,
            content=ExceptionEscalated(
                exception_id=row.exception_id,
                queue=row.queue,
                subject_id=row.flow_id,
                step=row.step,
                due_at=instant(row.due_us),
                reason=row.reason[:500],
            ),
        )
        key = derive_key("escalated", row.exception_id)
        who = Principal(subject=API, client_id=API, acting_api=API, accounts=Accounts(reach="all"))
        token = enter(Call(principal=who, operation_id=f"{API}.escalate", idempotency_key=key, step="escalate"))
        try:
            sent = await self._notifications.send_message(message)
            said = sent.message_id
        except Refusal as refusal:  # asking again would be refused again
            said = f"not sent: {refusal.detail or refusal.title}"
        except Problem as problem:
            log.warning("%s: the letter waits: %s", row.exception_id, problem)
            return
        finally:
            leave(token)
        deed = Deed(word="notified", operation="escalate", by=CLOCK, detail=said, key=key)
        await self._flows.write(partial(act, row=row, deed=deed, revision=ANY, now=self._clock.now()))


def _event(row: Any) -> NewEvent:
    told = Escalated(
        exception_id=row.exception_id, flow_id=row.flow_id, account_id=row.account_id, queue=row.queue,
        due_at=instant(row.due_us),
    )  # fmt: skip
    return happened(told, subject=row.flow_id, account_id=row.account_id)


def _unwritten(connection: sa.Connection, queues: Sequence[str]) -> list[Any]:
    notified = sa.exists().where(
        exception_deeds.c.exception_id == exceptions.c.exception_id, exception_deeds.c.deed == "notified"
    )
    query = sa.select(exceptions).where(
        exceptions.c.status == "open", exceptions.c.escalated_us.is_not(None), exceptions.c.queue.in_(queues), ~notified
    )
    return list(connection.execute(query.order_by(exceptions.c.escalated_us).limit(AT_ONCE)))
