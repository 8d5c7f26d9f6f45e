"""Claims: which deliveries are sent next, and by whom.

A delivery is taken by a lease with a token: a process that dies loses it after ``LEASE_S``, and what
it may still report then counts for nothing. Of one subject, a later event is not sent while an earlier
one waits, until it has been held for its time; even then it never passes one that could go at once.
Each endpoint has its own places, so a slow one holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from process_apis.events.log import shown
from process_apis.events.tables import events
from process_apis.subscriptions.tables import deliveries, subscriptions

LEASE_S = 60
"""Longer than any attempt may take."""
PLACES = 4
"""Attempts under way at an endpoint at a time, in each process."""


class Claimed(Struct, frozen=True, kw_only=True):
    """One attempt to make."""

    subscription: Any
    """The row of its subscription."""
    delivery: Any
    """The row of the delivery."""
    event: Any
    """The ``Event``; None where the log keeps it no longer."""
    lease: str


def claim(connection: sa.Connection, now_us: int, lease: str, busy: Mapping[str, int], most: int) -> list[Claimed]:
    """Take up to ``most`` deliveries that are due, given how many attempts are under way here at each endpoint."""
    found: list[Claimed] = []
    for row in connection.execute(_with_work(now_us)).all():
        free = min(PLACES - busy.get(row.subscription_id, 0), most - len(found))
        if free > 0:
            found += _claim_of(connection, row, now_us, lease, free)
    return found


def anything_due(connection: sa.Connection, now_us: int) -> bool:
    """Whether ``claim`` may find something; costs no write."""
    return connection.execute(_with_work(now_us).limit(1)).first() is not None


def _with_work(now_us: int) -> sa.Select[Any]:
    due = sa.exists().where(deliveries.c.subscription_id == subscriptions.c.subscription_id, *_due(deliveries, now_us))
    return sa.select(subscriptions).where(subscriptions.c.status == "active", due)


def _due(table: Any, now_us: int) -> tuple[Any, ...]:
    return table.c.status == "waiting", table.c.due_us <= now_us, table.c.lease_until_us <= now_us


def _claim_of(connection: sa.Connection, subscription: Any, now_us: int, lease: str, free: int) -> list[Claimed]:
    earlier = deliveries.alias()
    held = sa.exists().where(
        earlier.c.subscription_id == deliveries.c.subscription_id,
        earlier.c.subject == deliveries.c.subject,
        earlier.c.status == "waiting",
        earlier.c.position < deliveries.c.position,
        sa.or_(deliveries.c.hold_until_us > now_us, earlier.c.due_us <= now_us, earlier.c.lease_until_us > now_us),
    )
    mine = deliveries.c.subscription_id == subscription.subscription_id
    next_ones = (
        sa.select(deliveries.c.position)
        .where(mine, *_due(deliveries, now_us), ~held)
        .order_by(deliveries.c.position)
        .limit(free)
        .with_for_update(skip_locked=True)  # which SQLite has no word for, and no need of
    )
    positions = list(connection.execute(next_ones).scalars())
    if not positions:
        return []
    taken = (
        sa.update(deliveries)
        .where(mine, deliveries.c.position.in_(positions), *_due(deliveries, now_us))
        .values(lease=lease, lease_until_us=now_us + LEASE_S * 1_000_000)
        .returning(deliveries)
    )
    rows = sorted(connection.execute(taken).all(), key=lambda row: row.position)
    logged = connection.execute(sa.select(events).where(events.c.position.in_(positions))).all()
    by_position = {row.position: shown(row) for row in logged}
    return [
        Claimed(subscription=subscription, delivery=row, event=by_position.get(row.position), lease=lease)
        for row in rows
    ]
