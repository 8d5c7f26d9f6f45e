"""Subscriptions as rows: made, found, changed, removed.

Every change says which account it is for and finds nothing of another one. A change under an
idempotency key that was used before finds what it made then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from governance.contract import NotFound
from process_apis.events.event import Event
from process_apis.events.instants import microseconds
from process_apis.events.log import shown
from process_apis.events.tables import events
from process_apis.subscriptions.fan_out import delivery_row, wants
from process_apis.subscriptions.schedule import HOLD_S
from process_apis.subscriptions.tables import attempts, deliveries, subscriptions

REMOVED = "removed"
MOST_REPLAYED = 10_000
MOST_ATTEMPTS = 50


class Span(Struct, frozen=True, kw_only=True):
    """Which events are replayed."""

    event_id: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    only_dead: bool = False


def one(connection: sa.Connection, subscription_id: str, account_id: str | None = None) -> Any:
    """The row of a subscription.

    Raises:
        NotFound: there is none, or it is another account's.
    """
    query = sa.select(subscriptions).where(subscriptions.c.subscription_id == subscription_id)
    row = connection.execute(query).first()
    if row is None or account_id not in (None, row.account_id):
        raise NotFound()
    return row


def change(connection: sa.Connection, row: Any, now: datetime, **values: Any) -> Any:
    """The row of a subscription after a change, with its next revision."""
    changed = (
        sa.update(subscriptions)
        .where(subscriptions.c.subscription_id == row.subscription_id)
        .values(**values, revision=subscriptions.c.revision + 1, updated_us=microseconds(now))
        .returning(subscriptions)
    )
    return connection.execute(changed).one()


def page(
    connection: sa.Connection,
    accounts: Sequence[str] | None,
    status: str | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Any]:
    """Up to ``limit`` subscriptions, oldest first, after a place."""
    key = subscriptions.c.created_us, subscriptions.c.subscription_id
    query = sa.select(subscriptions).order_by(*key).limit(limit)
    if accounts is not None:
        query = query.where(subscriptions.c.account_id.in_(accounts))
    if status is not None:
        query = query.where(subscriptions.c.status == status)
    if after is not None:
        query = query.where(sa.tuple_(*key) > sa.tuple_(*after))
    return list(connection.execute(query))


def retire(connection: sa.Connection, row: Any, now: datetime) -> Any:
    """Remove a subscription: it stays to be read for a while, without secrets, and what waits is given up."""
    if row.status == REMOVED:
        return row
    waiting = deliveries.c.subscription_id == row.subscription_id, deliveries.c.status == "waiting"
    connection.execute(sa.update(deliveries).where(*waiting).values(status="dead", ended_us=microseconds(now)))
    return change(connection, row, now, status=REMOVED, reason="", secret="", former_secret="", former_until_us=0)


def forget_removed(connection: sa.Connection, before_us: int) -> None:
    """Delete the rows of subscriptions that were removed before an instant."""
    old = sa.delete(subscriptions).where(subscriptions.c.status == REMOVED, subscriptions.c.updated_us < before_us)
    connection.execute(old)


def hurry(connection: sa.Connection, subscription_id: str, now_us: int) -> None:
    """Have what waits tried at once, in order again."""
    waiting = deliveries.c.subscription_id == subscription_id, deliveries.c.status == "waiting"
    values = {"due_us": now_us, "hold_until_us": now_us + HOLD_S * 1_000_000}
    connection.execute(sa.update(deliveries).where(*waiting).values(**values))


def delivery_page(
    connection: sa.Connection, subscription_id: str, status: str | None, after: int, limit: int
) -> list[Any]:
    """Up to ``limit`` deliveries above a position."""
    query = sa.select(deliveries).where(deliveries.c.subscription_id == subscription_id, deliveries.c.position > after)
    if status is not None:
        query = query.where(deliveries.c.status == status)
    return list(connection.execute(query.order_by(deliveries.c.position).limit(limit)))


def delivery_of(connection: sa.Connection, subscription_id: str, event_id: str) -> tuple[Any, list[Any]]:
    """A delivery with its latest attempts, oldest first.

    Raises:
        NotFound: this event is not delivered to this subscription.
    """
    query = sa.select(deliveries).where(
        deliveries.c.subscription_id == subscription_id, deliveries.c.event_id == event_id
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound()
    made = (
        sa.select(attempts)
        .where(attempts.c.subscription_id == subscription_id, attempts.c.position == row.position)
        .order_by(attempts.c.attempt.desc())
        .limit(MOST_ATTEMPTS)
    )
    return row, list(reversed(connection.execute(made).all()))


def replay(connection: sa.Connection, row: Any, span: Span, now_us: int) -> tuple[int, bool]:
    """Have events wait to be delivered again; how many, and whether those are all."""
    logged = connection.execute(_logged(row, span).limit(MOST_REPLAYED + 1)).all()
    wanted = [event for event in map(shown, logged[:MOST_REPLAYED]) if wants(row, event)]
    known = _known(connection, row.subscription_id, wanted)
    if span.only_dead:
        wanted = [event for event in wanted if known.get(event.position) == "dead"]
    rows = [delivery_row(row.subscription_id, event, now_us) for event in wanted]
    again = [one["position"] for one in rows if one["position"] in known]
    mine = deliveries.c.subscription_id == row.subscription_id
    for begin in range(0, len(again), 500):
        these = sa.delete(deliveries).where(mine, deliveries.c.position.in_(again[begin : begin + 500]))
        connection.execute(these)
    if rows:
        connection.execute(sa.insert(deliveries), rows)
    return len(rows), len(logged) <= MOST_REPLAYED


def _logged(row: Any, span: Span) -> sa.Select[Any]:
    query = sa.select(events).where(events.c.account_id == row.account_id).order_by(events.c.position)
    if span.event_id is not None:
        return query.where(events.c.event_id == span.event_id)
    query = query.where(events.c.at_us >= span.since_us)
    return query if span.until_us is None else query.where(events.c.at_us < span.until_us)


def _known(connection: sa.Connection, subscription_id: str, wanted: Sequence[Event]) -> dict[int, str]:
    if not wanted:
        return {}
    query = sa.select(deliveries.c.position, deliveries.c.status).where(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.position >= wanted[0].position,
        deliveries.c.position <= wanted[-1].position,
    )
    return {row.position: row.status for row in connection.execute(query)}
