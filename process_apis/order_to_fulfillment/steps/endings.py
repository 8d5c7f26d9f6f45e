"""Who is told how an order ended: the channel that waits for it, and sales."""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.order_to_fulfillment.documents import total_of
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.commerce.v1.model import StatusWriteBack


class Endings(Systems):
    """What is said when nothing is left to be done."""

    async def write_back(self, run: OrderRun) -> OrderRecord:
        """The channel and the sales person know that the order is done."""
        order = replace(run.state, fresh=())
        cancelled = order.ending == "cancelled"
        await self._tell_channel(run, order.ending or "completed")
        word = "cancelled" if cancelled else "completed"
        await self._tell_sales(run, f"order_{word}", f"Order {order.reference} {word}, {total_of(order)}.")
        return order

    async def write_back_end(self, run: OrderRun) -> OrderRecord:
        """The channel knows that there will be no goods."""
        await self._tell_channel(run, run.state.status)
        return run.state

    async def _tell_channel(self, run: OrderRun, status: str) -> None:
        order = run.state
        if order.channel_order_id is None:
            return
        word = "completed" if status == "completed" else "cancelled" if status == "cancelled" else "rejected"
        await self._commerce.write_back_status(
            order.channel_order_id,
            StatusWriteBack(account_id=order.account_id, status=word, order_id=order.order_id),
        )
        run.say(f"{order.channel_order_id} {word}")
