"""Amendments: quantities, address and day of an order, changed before it is released to a warehouse.

An amended order begins anew: everything that was done for it is undone first, it is priced again,
checked again and, where its value asks for it, approved again.
"""

from __future__ import annotations

from datetime import date

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from process_apis.order_to_fulfillment.record import Fresh, Line, OrderRecord
from system_apis.canonical.values import Address, Level


class AmendedLine(Struct, frozen=True):
    """How many of a line are wanted now; 0: none."""

    line_no: int
    quantity: Level


class Amendment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wished; None or empty leaves it as it is."""

    lines: tuple[AmendedLine, ...] = ()
    ship_to: Address | None = None
    requested_on: date | None = None


amendment_in = msgspec.json.Decoder(Amendment).decode


def amended(order: OrderRecord, wish: bytes) -> OrderRecord:
    """The order as it begins anew."""
    wanted = amendment_in(wish)
    quantities = {line.line_no: line.quantity for line in wanted.lines}
    lines = tuple(_fresh(line, quantities.get(line.line_no, line.quantity)) for line in order.lines)
    amendments = order.amendments + 1
    return replace(
        order,
        lines=tuple(line for line in lines if line.quantity > 0),
        ship_to=wanted.ship_to or order.ship_to,
        requested_on=wanted.requested_on or order.requested_on,
        amendments=amendments,
        approval=None,
        back_order=None,
        payment=None,
        net=None,
        tax=None,
        total=None,
        taken=(),
        parts=(),
        in_parts=False,
        turns=1,
        payment_id=None,
        sales_order_id=None,
        fresh=(Fresh("amended", amendments),),
    )


def _fresh(line: Line, quantity: int) -> Line:
    return Line(
        line_no=line.line_no,
        sku=line.sku,
        quantity=quantity,
        agreed_price=line.agreed_price,
        agreed_discount_bp=line.agreed_discount_bp,
    )
