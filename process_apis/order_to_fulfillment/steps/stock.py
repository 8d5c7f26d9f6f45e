"""Stock for an order: set aside, from one warehouse or several, as routes and quantities allow."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.channels import channel_of
from process_apis.order_to_fulfillment.documents import address_of, message_lines, reserving_step
from process_apis.order_to_fulfillment.parts import planned
from process_apis.order_to_fulfillment.record import BackOrder, Fresh, OrderRecord, Taken
from process_apis.order_to_fulfillment.replenishment import expected_on
from process_apis.order_to_fulfillment.routing import warehouses_for
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.canonical.refusals import InsufficientStock
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import ForAccount, NewReservation, StockLine
from system_apis.notifications.v1.model import OrderBackordered

HOLD_STOCK_S = 14 * 86_400
"""An order that waits longer for its warehouse takes the stock again, if there is any."""


STOCK = "stock"
"""The signal that there is more of something; its body is the event's place in the log."""
BACK_ORDERED = "back_ordered"


def asks_people(order: OrderRecord) -> bool:
    """Whether people decide about it when its goods don't come."""
    return order.shortage != "reject" and channel_of(order.channel).after_back_order == "people"


def asks_nobody(order: OrderRecord) -> bool:
    """Whether it is rejected when its goods don't come."""
    return not asks_people(order)


class Stock(Systems):
    """The goods of the order."""

    async def reserve_stock(self, run: OrderRun) -> OrderRecord:
        """The goods are set aside, from one warehouse or split over several, now or when they are there."""
        order = replace(run.state, taken=(), parts=(), in_parts=False, turns=1, fresh=())
        try:
            with run.at(reserving_step(1)):
                order = await self._reserved(run, order, 1)
        except InsufficientStock as short:
            if order.shortage == "reject":
                raise
            run.state = await self._short(run, order, short)
            raise NotYet(due_at=next_look(run.state)) from None
        if order.missing:
            order = await self._back_ordered(run, order)
        return replace(order, in_parts=len(order.parts) > 1 or bool(order.missing))

    async def release_stock(self, run: OrderRun) -> bool:
        """The goods are free again."""
        reference = run.key_of(ErpV1.reserve_stock, reserving_step(1))
        released = await self._erp.release_reservation(reference, ForAccount(account_id=run.state.account_id))
        return released.outcome == "released"

    async def _short(self, run: OrderRun, order: OrderRecord, short: InsufficientStock) -> OrderRecord:
        """The order that goes on waiting for goods; raises ``short`` once that was long enough."""
        now, waits = run.clock.now(), order.back_order
        if waits is None:
            return await self._back_ordered(run, order)
        if now >= waits.until:
            raise short
        look_at = now + timedelta(seconds=self._settings.stock_look_s)
        return replace(order, back_order=replace(waits, look_at=look_at), updated_at=now)

    async def _back_ordered(self, run: OrderRun, order: OrderRecord) -> OrderRecord:
        """The order with what is missing on back-order; the customer and sales are told."""
        now, missing = run.clock.now(), order.missing
        short = {line.line_no for line in missing}
        expected = expected_on(now.date(), [line for line in order.lines if line.line_no in short])
        with run.at("tell_back_order"):
            content = OrderBackordered(
                order_id=order.order_id,
                order_reference=order.reference,
                lines=message_lines(missing, expected),
                expected_on=expected,
            )
            await self._letters.tell(run, order.account_id, content)
            goods = ", ".join(f"{line.quantity} x {line.sku}" for line in missing)
            await self._tell_sales(run, "order_backordered", f"Order {order.reference} waits for {goods[:1_500]}.")
        back_order = BackOrder(
            since=now,
            until=now + timedelta(days=channel_of(order.channel).back_order_days),
            expected_on=expected,
            look_at=now + timedelta(seconds=self._settings.stock_look_s),
        )
        fresh = (*order.fresh, Fresh("backordered", order.amendments))
        return replace(order, back_order=back_order, fresh=fresh, stage=BACK_ORDERED, updated_at=now)

    async def _reserved(self, run: OrderRun, order: OrderRecord, turn: int) -> OrderRecord:
        """The order with what is missing of it set aside and planned; raises ``InsufficientStock``."""
        lines = {line.line_no: line for line in order.lines}
        reservation = await self._erp.reserve_stock(
            NewReservation(
                account_id=order.account_id,
                lines=tuple(
                    StockLine(
                        sku=one.sku, quantity=one.quantity, from_warehouses=warehouses_for(order, lines[one.line_no])
                    )
                    for one in order.missing
                ),
                ship_country=address_of(order).country,
                expires_in_s=HOLD_STOCK_S,
                partial=order.shortage == "ship_partial",
            )
        )
        taken = tuple(Taken(one.sku, one.warehouse, one.quantity) for one in reservation.allocations)
        run.say(", ".join(f"{one.quantity} x {one.sku} from {one.warehouse}" for one in taken))
        parts = (*order.parts, *planned(order, taken, turn))
        return replace(order, taken=(*order.taken, *taken), parts=parts, turns=turn)


def next_look(order: OrderRecord) -> datetime | None:
    """When its goods are looked for next."""
    return min(order.back_order.look_at, order.back_order.until) if order.back_order is not None else None
