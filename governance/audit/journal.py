"""The journal of one process: entries in, one flush for all that wait at the same time.

Guarantees:

- When ``append`` returns, the entry and every one before it are on disk (``fdatasync``).
- Lines are never changed; a process writes a journal of its own, so no two write one file.
- The head is anchored in the database every second while it moves, when a segment ends, and at the end (``anchoring``).
- After a crash the last line may be torn; it was never answered for.

When the disk refuses, waiting callers get ``JournalFailed``, and ``failed`` says so until a flush succeeds
again: whoever changes something asks first. Entries are kept meanwhile and tried again every second, so what was
done before the disk refused is accounted for. While the database is away or slow anchors wait, entries do not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from datetime import date
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from governance.audit.anchoring import Anchoring
from governance.audit.chain import ORIGIN, Header, Line, digest, encoder, segment_path
from governance.audit.entry import AuditEntry
from governance.call import Clock
from governance.call.outcomes import announce
from governance.database import Database

AGAIN_S = 1.0
"""How long after the disk refused it is tried again."""
MOST_KEPT = 10_000
"""Entries that are kept while the disk refuses."""
MOST_REMARKS_PER_S = 100
"""Entries about nothing done that a process writes in a second: who is not let in can't fill the disk."""
logger = logging.getLogger("tiergate.audit")


class JournalFailed(Exception):
    """The entry could not be written."""


class Waiting:
    """An entry on its way to disk, and who waits for it."""

    __slots__ = ("entry", "future")

    def __init__(self, entry: AuditEntry, future: asyncio.Future[None] | None = None) -> None:
        self.entry = entry
        self.future = future


class Journal:
    """Writes one journal below ``folder``; ``start`` opens it, ``stop`` closes it in order."""

    def __init__(self, folder: Path, database: Database, clock: Clock, *, segment_bytes: int = 16_777_216) -> None:
        self.name = f"{clock.now():%Y%m%dT%H%M%S}-{token_hex(6)}"
        self.failed = False
        """Whether the last flush failed."""
        self.dropped = 0
        """Remarks that were too many."""
        self._folder = folder
        self._clock = clock
        self._anchoring = Anchoring(self.name, database, clock)
        self._segment_bytes = segment_bytes
        self._queue: deque[Waiting] = deque()
        self._remarks = 0
        self._remarks_since = 0.0
        self._more = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._file: BinaryIO | None = None
        self._size = 0
        self._number: int = 0
        self._head: str = ORIGIN
        self._opened_on = date.min

    async def start(self) -> None:
        """Begin to write."""
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="audit journal", daemon=True)
        self._thread.start()
        self._anchoring.start()

    async def stop(self) -> None:
        """Write what is left, and anchor the end."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self._more.set()
            await asyncio.to_thread(thread.join)
            await asyncio.to_thread(self._anchoring.stop)

    async def append(self, entry: AuditEntry) -> None:
        """Write an entry and wait until it is on disk.

        Raises:
            JournalFailed: it is not.
        """
        if self._thread is None:
            raise JournalFailed("the journal is not open")
        on_disk: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(Waiting(entry, on_disk))
        self._more.set()
        await on_disk

    def note(self, entry: AuditEntry) -> None:
        """Write an entry soon; the next ``append`` that returns means that it is on disk as well."""
        self._queue.append(Waiting(entry))
        self._more.set()

    def remark(self, entry: AuditEntry) -> None:
        """As ``note``, for a call that did nothing: those that are too many are left out and counted."""
        now = self._clock.monotonic()
        if now - self._remarks_since >= 1.0:
            self._remarks, self._remarks_since = 0, now
        self._remarks += 1
        if self._remarks <= MOST_REMARKS_PER_S:
            self.note(entry)
            return
        self.dropped += 1
        if self._remarks == MOST_REMARKS_PER_S + 1:
            logger.warning("refusals come too fast to be audited; %d were left out so far", self.dropped)

    def _run(self) -> None:
        while True:
            self._more.wait(AGAIN_S if self.failed else None)
            self._more.clear()
            waiting = [self._queue.popleft() for _ in range(len(self._queue))]
            if waiting:
                self._write(waiting)
            stopping = self._stopping and (self.failed or not self._queue)
            if stopping:
                if self._queue:
                    logger.error("%d entries of the audit are lost: the disk refused them", len(self._queue))
                if self._file is not None:
                    self._file.close()
                return

    def _write(self, waiting: list[Waiting]) -> None:
        place: tuple[int, str] | None = None
        failure: JournalFailed | None = None
        try:
            file = self._opened()
            place = (self._number, self._head)
            lines = [self._line(one.entry) for one in waiting]
            data = b"".join(lines)
            _write_all(file, data)
            os.fdatasync(file.fileno())
        except OSError as error:
            if place is not None:
                self._number, self._head = place
                self._cut_off()
            if not self.failed:
                logger.error("the audit journal can't be written: %s", error)
            self.failed = True
            failure = JournalFailed(str(error))
            self._queue.extendleft(Waiting(one.entry) for one in reversed(waiting[:MOST_KEPT]))
        else:
            self._size += len(data)
            self.failed = False
            self._anchoring.reach(self._number - 1, self._head)
        announce([(one.future, None, failure) for one in waiting if one.future is not None])

    def _line(self, entry: AuditEntry) -> bytes:
        line = encoder.encode(Line(number=self._number, before=self._head, entry=entry))
        self._head = digest(line)
        self._number += 1
        return line + b"\n"

    def _opened(self) -> BinaryIO:
        if self._file is not None and self._size < self._segment_bytes and not self._another_day():
            return self._file
        if self._file is not None:
            self._file.close()
            self._file = None
            self._anchoring.soon()
        path = segment_path(self._folder, self.name, self._number)
        now = self._clock.now()
        header = encoder.encode(Header(number=self._number, before=self._head, journal=self.name, opened_at=now))
        file = _created(path, header + b"\n")
        self._file, self._size, self._opened_on = file, len(header) + 1, now.date()
        self._number += 1
        self._head = digest(header)
        return file

    def _another_day(self) -> bool:
        return self._clock.now().date() != self._opened_on

    def _cut_off(self) -> None:
        """Remove what was half written; where even that fails, go on in another segment."""
        if self._file is None:
            return
        try:
            self._file.truncate(self._size)
        except OSError:
            logger.warning("a torn line stays at the end of %s", self._file.name)
            self._file.close()
            self._file = None


def _created(path: Path, header: bytes) -> BinaryIO:
    """A new segment with its header, known to the disk by its name; nothing is left where that fails."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
    file = open(descriptor, "ab", buffering=0)  # noqa: SIM115 - it stays open
    try:
        _write_all(file, header)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        file.close()
        path.unlink(missing_ok=True)
        raise
    return file


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
