"""Whose turn it is to write: SQLite has one writer, and what somebody waits for goes before what can wait.

A thread that is urgent goes before every one that is not, however long those have waited; they share
the database anyway, and an urgent write is short. A holder is never interrupted.
"""

from __future__ import annotations

import threading

URGENT = "urgent"
"""The execution option of a connection whose writes somebody waits for."""


class Turn:
    """The right to write, of one thread at a time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self.urgent_waiting = 0
        """Urgent threads that wait for their turn."""

    def take(self, *, urgent: bool) -> None:
        """Wait for the turn."""
        with self._changed:
            if urgent:
                self.urgent_waiting += 1
                self._changed.wait_for(lambda: not self._taken)
                self.urgent_waiting -= 1
            else:
                self._changed.wait_for(lambda: not self._taken and not self.urgent_waiting)
            self._taken = True

    def give_back(self) -> None:
        """Let the next one write."""
        with self._changed:
            self._taken = False
            self._changed.notify_all()
