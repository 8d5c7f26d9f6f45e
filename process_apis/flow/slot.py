"""The places from which processes run flows, and how a dead holder is noticed.

SQLite has one place: the process that holds the lock file runs flows. The kernel gives the lock
back when its holder dies, however it dies, and a waiting process takes it within its next look. The
place has one name whoever is in it, so what a dead holder left is the next one's own.

PostgreSQL has many: each process takes a place of its own, under a name that no other ever had, by an
advisory lock on a session of its own, which the server gives back with the session: at once where the
holder's process ended, and after ``GONE_AFTER_S`` where its machine or the network did. What a dead
holder left is found by its name and taken over by whoever looks first. A database that restarts ends
all sessions at once: whoever lost its own takes its place again, and calls nobody dead before all
others had the time to do the same. A process that slept through that finds its flows taken over when
it wakes and loses nothing by it: what it records for them is refused by the engine.
"""

from __future__ import annotations

import fcntl
import secrets
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO, ClassVar, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

GONE_AFTER_S = 3
PREFIX = "slot-"
LOCK_CLASS = 7_416_033
MOST_SLOTS = 2**31
LOOKS_GIVEN = 4
"""Looks in which whoever got its place back calls nobody dead: a database that restarts ends the sessions of all."""

WATCHED = tuple(
    sa.func.set_config(name, value, False)
    for name, value in (
        ("tcp_keepalives_idle", "1"),
        ("tcp_keepalives_interval", "1"),
        ("tcp_keepalives_count", str(GONE_AFTER_S - 1)),
        ("tcp_user_timeout", str(GONE_AFTER_S * 1_000)),
    )
)
"""Lets the server end the session of a holder whose machine no longer answers; hours later is its default."""


class Place(Protocol):
    """Where a process may run flows."""

    shared: ClassVar[bool]
    """Whether there are others beside it, whose holders may die."""

    def take(self) -> str | None:
        """The executor's name if this process has a place now, else None."""
        ...

    def fallen(self, executors: Iterable[str]) -> list[str]:
        """Those of ``executors`` whose holder is dead; nobody else is told of them until ``settled``."""
        ...

    def settled(self, executors: Iterable[str]) -> None:
        """What these left behind is taken over."""
        ...

    def release(self) -> None:
        """Give the place to whoever waits."""
        ...


def place_for(engine: sa.Engine, home: Path) -> Place:
    """The place that fits the database."""
    return FlowLock(home) if engine.dialect.name == "sqlite" else FlowSlots(engine)


class FlowLock:
    """The one place of a state folder."""

    shared: ClassVar[bool] = False

    def __init__(self, home: Path) -> None:
        self._path = home / "flows.lock"
        self._handle: IO[str] | None = None

    def take(self) -> str | None:
        """The executor's name if this process has the place now, else None."""
        if self._handle is None:
            handle = self._path.open("a")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return None
            self._handle = handle
        return f"{PREFIX}0"

    def fallen(self, executors: Iterable[str]) -> list[str]:
        """Nobody: there is no other place."""
        return []

    def settled(self, executors: Iterable[str]) -> None:
        """Nothing to give back."""

    def release(self) -> None:
        """Give the place to whoever waits."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class FlowSlots:
    """The places of a PostgreSQL database."""

    shared: ClassVar[bool] = True

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._session: sa.Connection | None = None
        self._slot: int | None = None
        self._held = False
        self._forbearance = 0
        """So many looks are still given to others to take their places again."""
        self._alone = threading.Lock()

    def take(self) -> str | None:
        """The name of a new place."""
        with self._alone:
            while not self._held:
                self._slot = secrets.randbelow(MOST_SLOTS)
                self._held = self._try(self._slot)
            return f"{PREFIX}{self._slot}"

    def fallen(self, executors: Iterable[str]) -> list[str]:
        """Those whose lock is free; it is held here until ``settled``."""
        with self._alone:
            if not self._keeps_own():
                return []
            others = {name for name in executors if name.startswith(PREFIX)} - {f"{PREFIX}{self._slot}"}
            return [name for name in sorted(others) if self._try(_number(name))]

    def settled(self, executors: Iterable[str]) -> None:
        """Give their places back."""
        with self._alone:
            for name in executors:
                self._execute(sa.func.pg_advisory_unlock(LOCK_CLASS, _number(name)))

    def release(self) -> None:
        """End the session, and the locks with it."""
        with self._alone:
            self._end_session()

    def _try(self, slot: int) -> bool:
        return bool(self._execute(sa.func.pg_try_advisory_lock(LOCK_CLASS, slot)))

    def _keeps_own(self) -> bool:
        """Whether this process holds its place, and did so long enough to judge others."""
        try:
            self._execute(sa.literal(1))
        except SQLAlchemyError:  # the session is gone, and the place with it
            self._end_session()
        if not self._held and self._slot is not None:  # somebody may hold it who thinks that we are dead
            self._held = self._try(self._slot)
            self._forbearance = LOOKS_GIVEN
            return False
        self._forbearance = max(0, self._forbearance - 1)
        return not self._forbearance

    def _end_session(self) -> None:
        self._held = False
        if self._session is not None:
            self._session.invalidate()
            self._session.close()
            self._session = None

    def _execute(self, question: sa.ColumnElement[object]) -> object:
        if self._session is None:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            self._session.execute(sa.select(*WATCHED))
        return self._session.execute(sa.select(question)).scalar()


def _number(executor: str) -> int:
    return int(executor.removeprefix(PREFIX))
