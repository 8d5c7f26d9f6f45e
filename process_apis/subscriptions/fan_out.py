"""Fan-out: each event becomes a delivery of every subscription that wants it, exactly once.

One transaction reads events after the cursor, writes their deliveries and moves the cursor; processes
take turns on the cursor's row. A subscription gets what happened after it was made. While paused,
events wait for it; while disabled they pass by, and can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from process_apis.events.event import Event
from process_apis.events.instants import microseconds
from process_apis.events.log import Wanted, events_after, settled
from process_apis.subscriptions.schedule import HOLD_S
from process_apis.subscriptions.tables import deliveries, fan_out, subscriptions

AT_ONCE = 200
TAKING = ("active", "paused")


def anything_new(connection: sa.Connection) -> bool:
    """Whether somebody subscribes and the log has grown; costs no write."""
    if connection.execute(sa.select(subscriptions.c.subscription_id).limit(1)).first() is None:
        return False
    return settled(connection) > connection.execute(sa.select(fan_out.c.position)).scalar_one()


def fan_out_once(connection: sa.Connection, now: datetime) -> int:
    """Write the deliveries of the next events; how many events were asked about."""
    taken = sa.update(fan_out).values(position=fan_out.c.position).returning(fan_out.c.position)
    position = connection.execute(taken).scalar_one()  # and nobody else moves it until this transaction ends
    page = events_after(connection, position, AT_ONCE)
    if not page:
        return 0
    takers = _takers(connection, page)
    rows = [row for event in page for row in _wanted(event, takers, now)]
    if rows:
        connection.execute(sa.insert(deliveries), rows)
    connection.execute(sa.update(fan_out).values(position=page[-1].position))
    return len(page)


def begin_at_the_end(connection: sa.Connection) -> int:
    """Where a new subscription begins: at the end of the log, to which the cursor goes while nobody subscribes."""
    end = settled(connection)
    if connection.execute(sa.select(subscriptions.c.subscription_id).limit(1)).first() is None:
        connection.execute(sa.update(fan_out).values(position=end))
    return end


def wants(row: Any, event: Event) -> bool:
    """Whether a subscription's filters admit an event of its account."""
    types = msgspec.json.decode(row.types, type=tuple[str, ...])
    subjects = msgspec.json.decode(row.subjects, type=tuple[str, ...])
    if subjects and event.subject not in subjects:
        return False
    return Wanted(types=types, account_ids=(row.account_id,)).admits(event)


def delivery_row(subscription_id: str, event: Event, now_us: int) -> dict[str, Any]:
    """A delivery that waits for its first attempt."""
    return {
        "subscription_id": subscription_id,
        "position": event.position,
        "event_id": event.event_id,
        "type": event.type,
        "subject": event.subject,
        "status": "waiting",
        "attempts": 0,
        "created_us": now_us,
        "hold_until_us": now_us + HOLD_S * 1_000_000,
        "due_us": now_us,
        "lease_until_us": 0,
        "lease": "",
        "ended_us": None,
    }


def _takers(connection: sa.Connection, page: Sequence[Event]) -> list[Any]:
    accounts = {event.account_id for event in page if event.account_id is not None}
    query = sa.select(subscriptions).where(subscriptions.c.account_id.in_(accounts), subscriptions.c.status.in_(TAKING))
    return list(connection.execute(query))


def _wanted(event: Event, takers: Iterable[Any], now: datetime) -> Iterable[dict[str, Any]]:
    for row in takers:
        if event.position > row.since_position and wants(row, event):
            yield delivery_row(row.subscription_id, event, microseconds(now))
