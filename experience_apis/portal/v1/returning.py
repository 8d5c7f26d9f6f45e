"""Returns as a customer sees them: what to send back until when, and what came of it."""

from __future__ import annotations

from experience_apis.portal.v1.return_model import NewReturn, Return, ReturnLine
from process_apis.order_to_fulfillment.v1 import model as fulfillment
from process_apis.returns.v1 import model as returns
from system_apis.canonical.refusals import WrongState


def wish(order: fulfillment.Order, goods: NewReturn) -> returns.NewReturn:
    """The return of goods of this order.

    Raises:
        WrongState: the order is not so far that anything of it could come back.
    """
    if order.sales_order_id is None:
        raise WrongState(record_id=order.order_id, state=order.status, needs="shipped")
    return returns.NewReturn(
        account_id=order.account_id,
        order_id=order.order_id,
        sales_order_id=order.sales_order_id,
        lines=tuple(returns.NewReturnLine(sku=line.sku, quantity=line.quantity) for line in goods.lines),
        reason=goods.reason,
        note=goods.note,
    )


def shown(found: returns.Return) -> Return:
    """A return and how far it is; where the goods are laid is nobody's business outside."""
    return Return(
        return_id=found.return_id,
        account_id=found.account_id,
        order_id=found.order_id,
        number=found.rma,
        status=found.status,
        reason=found.reason,
        lines=tuple(
            ReturnLine(sku=line.sku, quantity=line.quantity, received=line.received, accepted=_accepted(line))
            for line in found.lines
        ),
        send_by=found.send_by,
        credit=found.credit,
        credited_by=found.credited_by,
        refunded=found.refunded,
        end_reason=found.end_reason,
        requested_at=found.requested_at,
        updated_at=found.updated_at,
    )


def _accepted(line: returns.ReturnLine) -> int | None:
    return None if line.restocked is None or line.scrapped is None else line.restocked + line.scrapped
