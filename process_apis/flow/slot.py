"""The places from which processes run flows, and how a dead holder is noticed.

SQLite has one place: the process that holds the lock file runs flows. The kernel gives the lock
back when its holder dies, however it dies, and a waiting process takes it within its next look. The
place has one name whoever is in it, so what a dead holder left is the next one's own.

PostgreSQL has many: each process holds one by an advisory lock on a session of its own, which the
server gives back with the session. What a dead holder left is found by its name and taken over by
whoever looks first. A holder that lost its session takes its place again; finding it taken, it
loses nothing: what it records for flows that were taken from it is refused by the engine.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import IO, ClassVar, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

PREFIX = "slot-"
LOCK_CLASS = 7_416_033
MOST_SLOTS = 256


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
        self._alone = threading.Lock()

    def take(self) -> str | None:
        """The name of the first free place."""
        with self._alone:
            for slot in range(MOST_SLOTS):
                if self._try(slot):
                    self._slot = slot
                    return f"{PREFIX}{slot}"
            return None

    def fallen(self, executors: Iterable[str]) -> list[str]:
        """Those whose lock is free; it is held here until ``settled``."""
        with self._alone:
            self._keep_own()
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
            if self._session is not None:
                self._session.invalidate()
                self._session.close()
                self._session = None

    def _try(self, slot: int) -> bool:
        return bool(self._execute(sa.func.pg_try_advisory_lock(LOCK_CLASS, slot)))

    def _keep_own(self) -> None:
        try:
            self._execute(sa.literal(1))
        except DBAPIError:  # the session is gone, and the place with it: take it again on a new one
            self._session = None
            if self._slot is not None:
                self._try(self._slot)

    def _execute(self, question: sa.ColumnElement[object]) -> object:
        if self._session is None:
            self._session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._session.execute(sa.select(question)).scalar()


def _number(executor: str) -> int:
    return int(executor.removeprefix(PREFIX))
