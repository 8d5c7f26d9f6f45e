"""Retention: events are kept for ``KEPT`` and then forgotten, oldest first, a bounded number at a time.

Sequences go on: the last number of each subject is kept. A reader that was away for longer is refused
the event it goes on after, so it knows that it missed some.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from process_apis.events.instants import microseconds
from process_apis.events.tables import events

KEPT = timedelta(days=400)
AT_ONCE = 1_000


def forget(connection: sa.Connection, now: datetime, kept: timedelta = KEPT) -> int:
    """Forget up to ``AT_ONCE`` events that are older than ``kept``; how many."""
    old = sa.select(events.c.position).where(events.c.at_us < microseconds(now - kept))
    oldest = old.order_by(events.c.position).limit(AT_ONCE)
    return connection.execute(sa.delete(events).where(events.c.position.in_(oldest))).rowcount
