"""Record files: one SQLite file per embedded system of record, used off the event loop.

Guarantees:

- A write is one transaction that holds the file's write lock from its first statement (``BEGIN
  IMMEDIATE``), over all processes that share the file; when its future resolves, it is on disk
  (WAL, ``synchronous=FULL``); when it raises, nothing of it remains.
- Writes that wait at the same moment share one flush (group commit): each runs in a savepoint of
  its own, so one that raises undoes only itself.
- A read sees every write whose future has resolved, and does not wait for the flush of others.
- A caller that goes away cancels nothing: what was handed over runs to its end.

When the disk fails or another process holds the write lock longer than ``BUSY_TIMEOUT_MS``, the
waiting callers get ``SystemUnavailable`` and nothing of theirs was written.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import msgspec

from governance.call.outcomes import announce
from governance.contract.refusals import SystemUnavailable

BUSY_TIMEOUT_MS = 5_000
GROUP_LIMIT = 64
"""At most this many writes share one flush."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]


def fingerprint(content: msgspec.Struct) -> str:
    """A digest of what was asked for, to tell a repeated write from another one under the same reference."""
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


class _Task:
    """One piece of work and the future, on its own event loop, that waits for it."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Work) -> None:
        self.work = work
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.result: Any = None
        self.error: BaseException | None = None


class _Worker:
    """A thread that owns one connection and works off its queue, several tasks at a time."""

    def __init__(self, name: str, connection: sqlite3.Connection, carry_out: Callable[[list[_Task]], None]) -> None:
        self._connection = connection
        self._carry_out = carry_out
        self._queue: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def hand_over(self, work: Work) -> asyncio.Future[Any]:
        task = _Task(work)
        self._queue.put(task)
        return task.future

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while tasks := self._next():
            self._carry_out(tasks)
            announce([(task.future, task.result, task.error) for task in tasks])
        self._connection.close()

    def _next(self) -> list[_Task]:
        tasks: list[_Task] = []
        first = self._queue.get()
        while first is not None:
            tasks.append(first)
            if len(tasks) == GROUP_LIMIT:
                break
            try:
                first = self._queue.get_nowait()
            except Empty:
                break
        else:
            if tasks:  # the stop sign came behind work: do the work, then read the sign again
                self._queue.put(None)
        return tasks


class RecordFile:
    """One open SQLite file with a thread for writes and a thread for reads."""

    def __init__(self, path: Path, schema_sql: str) -> None:
        self.path = path
        self._writing = _connect(path)
        self._writing.executescript(f"BEGIN IMMEDIATE;\n{schema_sql}\nCOMMIT;")
        self._reading = _connect(path)
        self._reading.execute("PRAGMA query_only=ON")
        self._writer = _Worker(f"{path.stem}-writes", self._writing, self._write_group)
        self._reader = _Worker(f"{path.stem}-reads", self._reading, self._read_group)
        self.closed = False

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns from one consistent snapshot of the file; it can't write.

        Raises:
            sqlite3.OperationalError: the file is not readable.
        """
        return await self._reader.hand_over(work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """What ``work`` returns, after everything it wrote is on disk; undone when it raises.

        Raises:
            SystemUnavailable: the write lock or the disk could not be had; nothing was written.
        """
        return await self._writer.hand_over(work)

    def close(self) -> None:
        """Finish what was handed over, then close the file."""
        if not self.closed:
            self.closed = True
            self._writer.stop()
            self._reader.stop()

    def _read_group(self, tasks: list[_Task]) -> None:
        for task in tasks:
            try:
                self._reading.execute("BEGIN")
                task.result = task.work(self._reading)
            except Exception as error:  # noqa: BLE001 - it is raised where the task is awaited
                task.error = error
            finally:
                if self._reading.in_transaction:
                    self._reading.execute("ROLLBACK")

    def _write_group(self, tasks: list[_Task]) -> None:
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            for task in tasks:
                self._write_one(task)
            self._writing.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - it is raised where the tasks are awaited
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
            for task in tasks:
                task.error = task.error or _unavailable(self.path, error)

    def _write_one(self, task: _Task) -> None:
        self._writing.execute("SAVEPOINT one")
        try:
            task.result = task.work(self._writing)
        except Exception as error:
            task.error = error
            if not self._writing.in_transaction:  # SQLite gave up the whole transaction, such as on a full disk
                raise
            self._writing.execute("ROLLBACK TO one")
        self._writing.execute("RELEASE one")


class RecordFiles:
    """The folder of the embedded systems' files."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._open: dict[str, RecordFile] = {}

    def open(self, name: str, schema_sql: str) -> RecordFile:
        """The file ``<name>.sqlite`` with ``schema_sql`` applied (write it with ``IF NOT EXISTS``).

        Raises:
            OSError: the folder can't be made or written.
            sqlite3.Error: the file is damaged, or the schema is wrong.
        """
        if name in self._open and not self._open[name].closed:
            raise ValueError(f"the record file {name!r} is open already")
        self._home.mkdir(parents=True, exist_ok=True)
        with _alone(self._home / ".opening.lock"):
            self._open[name] = RecordFile(self._home / f"{name}.sqlite", schema_sql)
        return self._open[name]

    def close(self) -> None:
        """Close every file."""
        while self._open:
            self._open.popitem()[1].close()


def _unavailable(path: Path, error: Exception) -> Exception:
    if not isinstance(error, sqlite3.OperationalError):
        return error
    unavailable = SystemUnavailable(detail=f"The record file {path.stem} can't be written now.")
    unavailable.__cause__ = error
    return unavailable


@contextmanager
def _alone(lock: Path) -> Generator[None, None, None]:
    # Turning a new file to WAL answers "locked" at once, without the busy timeout, when two processes try.
    with lock.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
