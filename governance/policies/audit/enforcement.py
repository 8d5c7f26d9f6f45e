"""Audit: an append-only, chained account of every change and of every call that was not allowed.

Guarantees: a change that was answered is on disk before its answer leaves, with the inner changes it made; calls
that wait at the same time share one flush. Refusals for want of a token, a scope or an account are written
without waiting. Reads cost nothing unless ``reads`` is on. A person is named by a reference that can be cut off
for good (``tiergate audit erase``) while the chain stays whole.

While the journal can't be written, ``closed`` refuses changes with 503 before anything is done; a change whose
entry fails after the fact is answered 503 too, and its repeat under the same key gets the recorded answer. While
the database is away, a person who was not met before can't be referred to, so their changes are refused likewise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, NewType

from governance.audit import MIGRATIONS, AuditEntry, Journal, JournalFailed, Subjects, remove_older
from governance.call import (
    Binding,
    Clock,
    Ended,
    Exchange,
    Finding,
    Handler,
    Policy,
    Principal,
    Stage,
    Wrap,
)
from governance.contract.operation import Operation
from governance.contract.problems import Problem
from governance.contract.refusals import SystemUnavailable
from governance.database import Database, DatabaseAway
from governance.policies.audit.account import Describe, describing
from governance.policies.audit.settings import Settings

AuditFolder = NewType("AuditFolder", Path)
"""Where the journals of this home lie."""

DENIED = frozenset({"unauthenticated", "insufficient-scope", "account-required"})
DAY_S = 86_400.0
WRITTEN = "audit"
"""Evidence that an entry was written already."""
HIDDEN = "ownership"
"""Evidence of ownership that the record is there, and another's."""
logger = logging.getLogger("tiergate.audit")


class Enforcement(Policy):
    """Accounts for changes in every binding, inside the shield that lets a started write end."""

    name = "audit"
    stage = Stage.REPLAY
    position = 10

    def __init__(self, settings: Settings, folder: AuditFolder, database: Database, clock: Clock) -> None:
        database.adopt(MIGRATIONS)
        self.journal = Journal(folder, database, clock, segment_bytes=settings.segment_bytes)
        self._settings = settings
        self._folder = Path(folder)
        self._database = database
        self._clock = clock
        self._subjects = Subjects(database, clock)
        self._describing: dict[Operation, Describe] = {}
        self._tidying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the journal, and remove what is too old, now and once a day."""
        await self.journal.start()
        self._tidying = asyncio.create_task(self._tidy(), name="audit retention")

    async def stop(self) -> None:
        """Write and anchor the last entries."""
        if self._tidying is not None:
            self._tidying.cancel()
            with suppress(asyncio.CancelledError):
                await self._tidying
        await self.journal.stop()

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every change; reads where the settings say so."""
        if operation.safe and not (self._settings.reads and binding == "served"):
            return None
        describe = self._describer(operation)
        waits = binding == "served" and not operation.safe
        closed = not operation.safe and self._settings.on_failure == "closed"

        def wrap(inner: Handler) -> Handler:
            async def audited(exchange: Exchange) -> Any:
                subject = await self._subject(exchange.under.on_behalf_of)
                if closed and self.journal.failed:
                    raise SystemUnavailable(detail="The audit journal can't be written; nothing was done.")
                exchange.evidence[WRITTEN] = True
                try:
                    result = await inner(exchange)
                except Exception as error:
                    entry = describe(exchange, subject, _outcome(error), None)
                    if waits and not isinstance(error, Ended):  # it may have changed something all the same
                        await self._write(entry, closed=False)
                    else:
                        self.journal.note(entry)
                    raise
                entry = describe(exchange, subject, "ok", result)
                if waits:
                    await self._write(entry, closed=closed)
                else:
                    self.journal.note(entry)
                return result

            return audited

        return wrap

    async def _write(self, entry: AuditEntry, *, closed: bool) -> None:
        try:
            await self.journal.append(entry)
        except JournalFailed as error:
            if closed:
                detail = "It was done, but the audit journal can't be written. Repeat it with the same key."
                raise SystemUnavailable(detail=detail) from error

    async def refused(self, exchange: Exchange) -> None:
        """Write down who was not let in."""
        evidence = exchange.evidence
        if WRITTEN in evidence or not (evidence.get("problem") in DENIED or HIDDEN in evidence):
            return
        subject = ""
        if exchange.call is not None:
            with suppress(SystemUnavailable):
                subject = await self._subject(exchange.call.on_behalf_of)
        describe = self._describer(exchange.operation)
        self.journal.remark(describe(exchange, subject, str(exchange.evidence["problem"]), None))

    def audit(self, operation: Operation) -> Iterable[Finding]:
        """Changes that go on unaudited when the journal fails."""
        if self._settings.on_failure == "open" and not operation.safe:
            detail = 'on_failure = "open": while the journal can\'t be written, it goes on unaudited.'
            yield Finding(id="AD-010", operation_id=operation.id, detail=detail, severity="warning")

    def _describer(self, operation: Operation) -> Describe:
        found = self._describing.get(operation)
        if found is None:
            found = self._describing[operation] = describing(operation, self._clock)
        return found

    async def _subject(self, user: Principal) -> str:
        """The reference of the person behind a call; empty for a client that acts for itself."""
        if user.subject == user.client_id:
            return ""
        return self._subjects.known(user.subject) or await self._looked_up(user.subject)

    async def _looked_up(self, subject: str) -> str:
        try:
            return await self._subjects.reference(subject)
        except DatabaseAway as error:
            if self._settings.on_failure == "open":
                return ""
            raise SystemUnavailable(detail="The audit can't name who acts right now; nothing was done.") from error

    async def _tidy(self) -> None:
        while True:
            before = self._clock.now() - timedelta(days=self._settings.retention_days)
            try:
                removed = await asyncio.to_thread(remove_older, self._folder, self._database, before)
                if removed:
                    logger.info("retention removed %d segments of the audit", removed)
            except (DatabaseAway, OSError) as error:
                logger.warning("retention of the audit waits: %s", error)
            await asyncio.sleep(DAY_S)


def _outcome(error: Exception) -> str:
    match error:
        case Problem():
            return error.type
        case Ended():
            return "probe"
        case _:
            return type(error).__name__
