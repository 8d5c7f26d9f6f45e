"""Amendments: quantities, address and day of an order, changed before it is released to a warehouse.

An amended order, and one that is done again by people after it ended, begins anew: everything
that was done for it is undone first, it is priced again, checked again and, where its value asks for it, approved
again.
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
    by: str = ""
    """Whose wish it is."""


amendment_in = msgspec.json.Decoder(Amendment).decode


def amended(order: OrderRecord, wish: bytes) -> OrderRecord:
    """The order as it begins anew, once everything that was done for it is undone."""
    wanted = amendment_in(wish)
    quantities = {line.line_no: line.quantity for line in wanted.lines}
    lines = tuple(replace(line, quantity=quantities.get(line.line_no, line.quantity)) for line in order.lines)
    amendments = order.amendments + 1
    changed = replace(
        order,
        lines=tuple(line for line in lines if line.quantity > 0),
        ship_to=wanted.ship_to or order.ship_to,
        requested_on=wanted.requested_on or order.requested_on,
        amendments=amendments,
        amended_by=tuple(sorted({*order.amended_by, wanted.by} - {""})),
    )
    return replace(anew(changed), fresh=(Fresh("amended", amendments),))


def renewed(order: OrderRecord, order_id: str, correction: bytes) -> OrderRecord:
    """The first state of a corrected run of an order that ended, under a number of its own."""
    wanted = amended(order, correction or b"{}")
    return replace(
        wanted, order_id=order_id, amendments=0, status="accepted", reason=None, problem=None, repeat=True, fresh=()
    )


def anew(order: OrderRecord) -> OrderRecord:
    """The order as it was when it came: nothing is priced, set aside, approved or done."""
    return replace(
        order,
        lines=tuple(_as_ordered(line) for line in order.lines),
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
        giving_up="",
        ending="",
        payment_id=None,
        sales_order_id=None,
        invoice_id=None,
        invoice_total=None,
        owed=(),
        return_ids=(),
        sent=(),
        fresh=(),
    )


def _as_ordered(line: Line) -> Line:
    return Line(
        line_no=line.line_no,
        sku=line.sku,
        quantity=line.quantity,
        agreed_price=line.agreed_price,
        agreed_discount_bp=line.agreed_discount_bp,
    )
