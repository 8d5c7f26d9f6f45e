"""The parts of an order: how goods that are set aside become shipments, one a warehouse and turn. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from process_apis.order_to_fulfillment.record import GONE, Line, OrderRecord, Part, PartLine, Taken


def planned(order: OrderRecord, taken: Iterable[Taken], turn: int) -> tuple[Part, ...]:
    """New parts for goods that are set aside, one for each warehouse; lines are served in their order."""
    left = {(line.line_no, line.sku): line.quantity for line in order.missing}
    by_warehouse: dict[str, list[PartLine]] = {}
    for one in taken:
        quantity = one.quantity
        for (line_no, sku), missing in left.items():
            if sku == one.sku and quantity and (part := min(quantity, missing)):
                left[line_no, sku] -= part
                quantity -= part
                by_warehouse.setdefault(one.warehouse, []).append(PartLine(line_no, sku, part))
    first = len(order.parts) + 1
    return tuple(
        Part(number=first + place, warehouse=warehouse, turn=turn, lines=_merged(by_warehouse[warehouse]))
        for place, warehouse in enumerate(sorted(by_warehouse))
    )


def with_part(order: OrderRecord, part: Part) -> OrderRecord:
    """The order with another state of one of its parts."""
    return replace(order, parts=tuple(part if one.number == part.number else one for one in order.parts))


def given_up(order: OrderRecord) -> OrderRecord:
    """The order with everything that is in no part given up."""
    missing = {line.line_no: line.quantity for line in order.missing}
    return replace(order, lines=tuple(_less(line, missing.get(line.line_no, 0)) for line in order.lines))


def without(order: OrderRecord, part: Part) -> OrderRecord:
    """The order after this part was cancelled: its goods are not sent."""
    return with_part(order, replace(part, status="cancelled"))


def goes_together(order: OrderRecord) -> bool:
    """Whether it is issued, invoiced and paid as a whole."""
    return not order.in_parts


def goes_in_parts(order: OrderRecord) -> bool:
    """Whether each of its parts is issued, invoiced and paid by itself."""
    return order.in_parts


def has_left(order: OrderRecord) -> bool:
    """Whether it goes together and goods of it have left."""
    return goes_together(order) and any(part.gone for part in order.parts)


def gives_up(order: OrderRecord) -> bool:
    """Whether some of it is not sent any more."""
    return bool(order.giving_up)


def can_stop(order: OrderRecord) -> bool:
    """Whether there is anything of it that a cancel can still hold back."""
    return bool(order.missing) or any(not part.gone and part.status != "cancelled" for part in order.parts)


def upgraded(order: OrderRecord) -> OrderRecord:
    """An order from before orders had parts, with the parts that its shipments are."""
    if order.parts or not order.taken:
        return order
    shipments = {sent.warehouse: sent.shipment_id for sent in order.sent}
    status = "dispatched" if order.status in GONE else "released" if order.sent else "planned"
    parts = planned(order, order.taken, 1)
    return replace(
        order,
        parts=tuple(
            replace(part, shipment_id=shipments.get(part.warehouse), status=status, promised_on=order.requested_on)
            for part in parts
        ),
    )


def _less(line: Line, quantity: int) -> Line:
    return replace(line, given_up=line.given_up + quantity) if quantity else line


def _merged(lines: list[PartLine]) -> tuple[PartLine, ...]:
    quantities: dict[tuple[int, str], int] = {}
    for line in lines:
        quantities[line.line_no, line.sku] = quantities.get((line.line_no, line.sku), 0) + line.quantity
    return tuple(PartLine(line_no, sku, quantity) for (line_no, sku), quantity in sorted(quantities.items()))
