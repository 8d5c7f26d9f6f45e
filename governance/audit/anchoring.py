"""Anchors the head of a journal: every second while it moves, and at its end.

It has a thread of its own, so a database that is slow or away holds up no entry, and nobody who
waits for one. What is anchored is on disk already; the newest head goes first, those between are
never written. While the database is away it is tried again every second, once more at the end.
"""

from __future__ import annotations

import logging
import threading

from governance.audit.anchors import Anchor, put_anchor
from governance.audit.chain import ORIGIN
from governance.call import Clock
from governance.database import Database, DatabaseAway

ANCHOR_EVERY_S = 1.0
logger = logging.getLogger("tiergate.audit")


class Anchoring:
    """Anchors one journal; ``start`` begins, ``stop`` anchors the end."""

    def __init__(self, journal: str, database: Database, clock: Clock) -> None:
        self._journal = journal
        self._database = database
        self._clock = clock
        self._reached = (-1, ORIGIN)
        self._anchored = -1
        self._now = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def reach(self, number: int, head: str) -> None:
        """The journal is on disk up to this line, of this hash."""
        self._reached = (number, head)

    def soon(self) -> None:
        """Anchor now, without waiting for it: a segment ends, which retention may remove once it is anchored."""
        self._now.set()

    def start(self) -> None:
        """Begin to anchor."""
        self._stopping = False
        self._now.clear()
        self._thread = threading.Thread(target=self._run, name="audit anchors", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Anchor the end; blocks until that is done or refused."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self._now.set()
            thread.join()
            self._anchor(closed=True)

    def _run(self) -> None:
        while not self._stopping:
            self._now.wait(ANCHOR_EVERY_S)
            self._now.clear()
            self._anchor(closed=False)

    def _anchor(self, *, closed: bool) -> None:
        number, head = self._reached
        if number < 0 or (number == self._anchored and not closed):
            return
        at_us = int(self._clock.now().timestamp() * 1_000_000)
        anchor = Anchor(
            journal=self._journal, number=number, head=head, kept_before=ORIGIN, anchored_us=at_us, closed=closed
        )
        try:
            self._database.write_here(lambda connection: put_anchor(connection, anchor))
            self._anchored = number
        except DatabaseAway as error:
            logger.warning("the audit's anchor waits: %s", error)
