"""The lock of a state folder's embedded server: held by one process, free the moment that process is gone.

``flock`` on a file of its own. A forked child closes its copy at once, so that it can't hold the lock
in the name of a dead parent; a child that executes another program never gets one (close-on-exec).
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from weakref import WeakSet


class HomeLock:
    """An exclusive lock on ``path``, tried without waiting."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        _locks.add(self)

    def open(self) -> None:
        """Make the file.

        Raises:
            OSError: the folder can't be written.
        """
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self) -> bool:
        """Whether the lock is now ours."""
        if self._descriptor is None:
            return False
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


_locks: WeakSet[HomeLock] = WeakSet()


def _after_fork() -> None:
    for lock in list(_locks):
        lock.close()


os.register_at_fork(after_in_child=_after_fork)
