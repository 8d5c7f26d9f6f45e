"""Orders that are not where they should be: three questions to the tables of flows and orders.

Only what is under way is looked at, so an answer costs by the number of open orders. What a question
needs of an order's record is decoded from it; a record that has more is no matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from process_apis.events.tables import events
from process_apis.flow.tables import exceptions, flows, orders, timeline
from process_apis.flow.timeline import microseconds
from process_apis.timeline.levels import FRESH_S, Milestone, level_of, next_milestone
from process_apis.timeline.stretches import FAILED

MICROSECONDS = 1_000_000
PART = 200
LEFT = ("shipped", "invoiced")
"""Statuses after the goods have left."""
INVOICING = "post_invoice"
TELLING = "write_back_status"
LEAVING = "await_dispatch"
LEFT_EVENT = "shipment.dispatched"


class OrderFacts(Struct, frozen=True, kw_only=True):
    """What the questions need of an order's record."""

    order_id: str
    account_id: str
    reference: str
    channel: str
    status: str
    stage: str
    placed_at: datetime
    updated_at: datetime
    reason: str | None = None
    channel_order_id: str | None = None
    sales_order_id: str | None = None


class Trouble(Struct, frozen=True, kw_only=True):
    """An order, and since when it is in trouble (microseconds)."""

    order: OrderFacts
    since_us: int
    reason: str = ""


class Late(Struct, frozen=True, kw_only=True):
    """An order past its service level; ``due_us`` in microseconds."""

    order: OrderFacts
    priority: int
    level: str
    milestone: Milestone
    due_us: int


class Which(Struct, frozen=True, kw_only=True):
    """Whose orders are asked for, after which one, and how many at most; None: all, the first."""

    account_ids: Sequence[str] | None
    after: tuple[int, str] | None
    limit: int


FACTS = msgspec.json.Decoder(OrderFacts)


def without_invoice(connection: sa.Connection, which: Which) -> list[Trouble]:
    """Orders under way whose invoice was refused or failed and is not there yet, oldest first."""
    attempt, later = timeline.alias(), timeline.alias()
    posted_after = sa.exists().where(
        later.c.flow_id == attempt.c.flow_id,
        later.c.operation == INVOICING,
        later.c.outcome == "done",
        later.c.position > attempt.c.position,
    )
    failed = (
        sa.select(sa.func.min(attempt.c.at_us))
        .where(
            attempt.c.flow_id == flows.c.flow_id,
            attempt.c.operation == INVOICING,
            attempt.c.outcome.in_(FAILED),
            ~posted_after,
        )
        .scalar_subquery()
    )
    opened = (
        sa.select(sa.func.min(exceptions.c.opened_us))
        .where(
            exceptions.c.flow_id == flows.c.flow_id,
            exceptions.c.status == "open",
            exceptions.c.step.startswith("invoice", autoescape=True),
        )
        .scalar_subquery()
    )
    since = sa.func.coalesce(failed, opened)
    found = (
        Trouble(order=order, since_us=row.since, reason=order.reason or "The invoice was not posted.")
        for row, order in _open_orders(connection, which, since.label("since"), where=since.is_not(None))
    )
    return list(islice(found, which.limit))


def not_refreshed(connection: sa.Connection, which: Which, now_us: int) -> list[Trouble]:
    """Orders of a channel whose goods left more than ``FRESH_S`` ago and of which it was not told since."""
    told_left = sa.select(sa.func.max(events.c.at_us)).where(
        events.c.subject == flows.c.flow_id, events.c.type == LEFT_EVENT
    )
    seen_left = _newest(timeline.c.step == LEAVING, timeline.c.outcome == "done")
    left_us = sa.func.coalesce(told_left.scalar_subquery(), seen_left)
    told_us = _newest(timeline.c.operation == TELLING, timeline.c.outcome == "done")
    overdue = sa.and_(
        left_us.is_not(None),
        left_us < now_us - FRESH_S * MICROSECONDS,
        sa.or_(told_us.is_(None), told_us < left_us),
    )
    found = (
        Trouble(order=order, since_us=row.left, reason=order.reason or "The channel does not know that the goods left.")
        for row, order in _open_orders(connection, which, left_us.label("left"), where=overdue)
        if order.channel_order_id is not None
    )
    return list(islice(found, which.limit))


def late(connection: sa.Connection, which: Which, now_us: int) -> list[Late]:
    """Orders under way that should have reached their next milestone by now, oldest first."""
    found: list[Late] = []
    for row, order in _open_orders(connection, which, flows.c.priority):
        level = level_of(order.channel, row.priority)
        milestone = next_milestone(confirmed=order.sales_order_id is not None, shipped=order.status in LEFT)
        due_us = microseconds(order.placed_at) + level.seconds(milestone) * MICROSECONDS
        if due_us < now_us:
            found.append(Late(order=order, priority=row.priority, level=level.name, milestone=milestone, due_us=due_us))
        if len(found) == which.limit:
            break
    return found


def _newest(*where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    newest = sa.select(sa.func.max(timeline.c.at_us)).where(timeline.c.flow_id == flows.c.flow_id, *where)
    return newest.scalar_subquery()


def _open_orders(
    connection: sa.Connection, which: Which, *columns: Any, where: sa.ColumnElement[bool] | None = None
) -> Iterator[tuple[Any, OrderFacts]]:
    """Orders under way with what else is asked of each, oldest first, read part by part."""
    after = which.after
    while True:
        query = (
            sa.select(orders.c.document, orders.c.placed_us, orders.c.order_id, *columns)
            .join(flows, flows.c.flow_id == orders.c.order_id)
            .where(sa.not_(flows.c.ended))
            .order_by(orders.c.placed_us, orders.c.order_id)
            .limit(PART)
        )
        if where is not None:
            query = query.where(where)
        if which.account_ids is not None:
            query = query.where(orders.c.account_id.in_(which.account_ids))
        if after is not None:
            query = query.where(sa.tuple_(orders.c.placed_us, orders.c.order_id) > sa.tuple_(*after))
        rows = connection.execute(query).all()
        yield from ((row, FACTS.decode(row.document)) for row in rows)
        if len(rows) < PART:
            return
        after = (rows[-1].placed_us, rows[-1].order_id)
