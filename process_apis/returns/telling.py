"""The events of a return, from its state. Their subject is the order, so that they stand in its own sequence."""

from __future__ import annotations

from collections.abc import Iterable

from process_apis.events.event import NewEvent
from process_apis.events.kind import happened
from process_apis.events.taxonomy.returns import ReturnCredited, ReturnedGoods, ReturnInitiated, ReturnReceived
from process_apis.returns.record import Line, Received, ReturnRecord


def initiated(goods: ReturnRecord) -> tuple[NewEvent, ...]:
    """The customer may send the goods."""
    data = ReturnInitiated(
        return_id=goods.return_id,
        order_id=goods.order_id,
        account_id=goods.account_id,
        goods=_goods(goods.lines),
        reason=goods.reason,
    )
    return (happened(data, subject=goods.order_id, account_id=goods.account_id),)


def received(goods: ReturnRecord) -> tuple[NewEvent, ...]:
    """Goods came."""
    came = goods.receipt.lines if goods.receipt else ()
    data = ReturnReceived(
        return_id=goods.return_id, order_id=goods.order_id, account_id=goods.account_id, goods=_goods(came)
    )
    return (happened(data, subject=goods.order_id, account_id=goods.account_id),)


def credited(goods: ReturnRecord) -> tuple[NewEvent, ...]:
    """What was accepted is credited; nothing happened where nothing was."""
    if goods.credit is None or not goods.credits_something:
        return ()
    data = ReturnCredited(
        return_id=goods.return_id, order_id=goods.order_id, account_id=goods.account_id, amount=goods.credit
    )
    return (happened(data, subject=goods.order_id, account_id=goods.account_id),)


def _goods(lines: Iterable[Line | Received]) -> tuple[ReturnedGoods, ...]:
    return tuple(ReturnedGoods(sku=line.sku, quantity=line.quantity) for line in lines)
