"""Whose turn it is to write: SQLite has one writer, and what somebody waits for goes before what can wait.

A thread that is urgent goes before every one that is not, however long those have waited; they share
the database anyway, and an urgent write is short. Among equals the one that waits the longest is next.
A holder is never interrupted.
"""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from weakref import WeakValueDictionary

URGENT = "urgent"
"""The execution option of a connection whose writes somebody waits for."""


class Turn:
    """The right to write, of one thread at a time, which each hands on to the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._urgent: deque[threading.Lock] = deque()
        self._patient: deque[threading.Lock] = deque()

    @property
    def urgent_waiting(self) -> int:
        """Urgent threads that wait for their turn."""
        return len(self._urgent)

    def take(self, *, urgent: bool) -> None:
        """Wait for the turn."""
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            handed = threading.Lock()
            handed.acquire()
            (self._urgent if urgent else self._patient).append(handed)
        handed.acquire()

    def give_back(self) -> None:
        """Hand the turn to the next one: nobody else is woken, and nobody comes between."""
        with self._lock:
            if waiting := self._urgent or self._patient:
                waiting.popleft().release()
            else:
                self._taken = False


_turns: WeakValueDictionary[Path, Turn] = WeakValueDictionary()
_finding = threading.Lock()


def turn_of(database: str) -> Turn:
    """The turn to write to the SQLite file ``database``, which all engines of this process share."""
    with _finding:
        return _turns.setdefault(Path(database).resolve(), Turn())
