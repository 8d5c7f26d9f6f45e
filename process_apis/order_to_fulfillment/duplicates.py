"""Orders that look like one before them: the same account, reference and lines, by whatever channel.

One row for each likeness says which order was the newest; it is written in the transaction that
accepts an order, so of any number that come at once one is the first and all others know of it. An
order that was rejected or cancelled, and one older than the channel's window, is no first.
"""

from __future__ import annotations

import hashlib

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from governance.database import dialect_of, for_each_dialect
from process_apis.flow.retention import AT_ONCE
from process_apis.flow.tables import flows, orders
from process_apis.flow.timeline import microseconds
from process_apis.order_to_fulfillment.channels import SalesChannel, channels
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.tables import likenesses
from system_apis.canonical.refusals import DuplicateOrder

MICROSECONDS = 1_000_000
KEEP = for_each_dialect(lambda insert: insert(likenesses).on_conflict_do_nothing().returning(likenesses.c.order_id))
GIVEN_UP = ("rejected", "cancelled")


def likeness_of(order: OrderRecord) -> str:
    """What two orders of one account have in common when they ask for the same, in whatever order of lines."""
    wanted = sorted((line.sku, line.quantity) for line in order.lines)
    return hashlib.sha256(msgspec.json.encode((order.reference, wanted))).hexdigest()


def forget(connection: sa.Connection, before_us: int) -> int:
    """Forget some likenesses whose order ended before this, and that no channel compares with any more; how many."""
    before_us -= max(channel.duplicate_window_s for channel in channels().values()) * MICROSECONDS
    ended = sa.exists().where(flows.c.flow_id == likenesses.c.order_id, flows.c.ended, flows.c.ended_us < before_us)
    old = sa.select(likenesses.c.order_id).where(likenesses.c.placed_us < before_us, ended).limit(AT_ONCE)
    ids = list(connection.execute(old).scalars())
    if ids:  # an order that took the place of one of these meanwhile has an id of its own
        gone = (likenesses.c.placed_us < before_us, likenesses.c.order_id.in_(ids))
        connection.execute(sa.delete(likenesses).where(*gone))
    return len(ids)


def compared(connection: sa.Connection, order: OrderRecord, channel: SalesChannel) -> OrderRecord:
    """The order as it is accepted, after it was compared with those before it, whose place it takes.

    Raises:
        DuplicateOrder: it looks like another one, was not meant as one more, and the channel refuses such orders.
    """
    likeness, placed_us = likeness_of(order), microseconds(order.placed_at)
    row = {
        "account_id": order.account_id,
        "likeness": likeness,
        "order_id": order.order_id,
        "placed_us": placed_us,
    }
    if connection.execute(KEEP[dialect_of(connection)], row).scalar() is not None:
        return order
    this = sa.and_(likenesses.c.account_id == order.account_id, likenesses.c.likeness == likeness)
    first = connection.execute(sa.select(likenesses).where(this).with_for_update()).one()
    connection.execute(sa.update(likenesses).where(this).values(order_id=order.order_id, placed_us=placed_us))
    since_us = placed_us - channel.duplicate_window_s * MICROSECONDS
    if order.repeat or first.placed_us < since_us or _given_up(connection, first.order_id):
        return order
    if channel.duplicates == "refuse":
        raise DuplicateOrder(
            order_id=first.order_id,
            detail=f"Order {first.order_id} asks for the same under {order.reference}. Say so if one more is meant.",
        )
    return replace(order, duplicate_of=first.order_id)


def _given_up(connection: sa.Connection, order_id: str) -> bool:
    status = connection.execute(sa.select(orders.c.status).where(orders.c.order_id == order_id)).scalar()
    return status is None or status in GIVEN_UP
