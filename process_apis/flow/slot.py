"""The place from which a process runs flows.

On SQLite exactly one process runs flows: the one that holds the lock file. The kernel gives the
lock back when its holder dies, however it dies, and a waiting process takes it within its next look.
The place has one name whoever is in it, so what a dead holder left behind is the next one's own.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

EXECUTOR = "slot-0"


class FlowLock:
    """The lock file of one state folder."""

    def __init__(self, home: Path) -> None:
        self._path = home / "flows.lock"
        self._handle: IO[str] | None = None

    def take(self) -> str | None:
        """The executor's name if this process has the place now, else None."""
        if self._handle is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = self._path.open("a")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.close()
                return None
            self._handle = handle
        return EXECUTOR

    def release(self) -> None:
        """Give the place to whoever waits."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
