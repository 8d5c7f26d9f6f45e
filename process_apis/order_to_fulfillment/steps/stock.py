"""Stock for an order: set aside, from one warehouse or several, as routes and quantities allow."""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.order_to_fulfillment.documents import address_of, reserving_step
from process_apis.order_to_fulfillment.parts import planned
from process_apis.order_to_fulfillment.record import OrderRecord, Taken
from process_apis.order_to_fulfillment.routing import warehouses_for
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import ForAccount, NewReservation, StockLine

HOLD_STOCK_S = 14 * 86_400
"""An order that waits longer for its warehouse takes the stock again, if there is any."""


class Stock(Systems):
    """The goods of the order."""

    async def reserve_stock(self, run: OrderRun) -> OrderRecord:
        """The goods are set aside, from one warehouse or split over several."""
        order = await self._reserved(run, run.state, 1)
        return replace(order, in_parts=len(order.parts) > 1 or bool(order.missing))

    async def release_stock(self, run: OrderRun) -> bool:
        """The goods are free again."""
        reference = run.key_of(ErpV1.reserve_stock, reserving_step(1))
        released = await self._erp.release_reservation(reference, ForAccount(account_id=run.state.account_id))
        return released.outcome == "released"

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
