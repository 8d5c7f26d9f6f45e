"""Goods issue, invoice and money: for an order as a whole, or for each part that left by itself.

Goods may be back and credited before the money for them is taken. The ERP has the last word, because there
payments and credits come one after the other: what an invoice does not take goes back to the card. So
what was taken less what went back is what the customer keeps, whatever came first.
"""

from __future__ import annotations

from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.documents import is_paid, reserving_step, total_of
from process_apis.order_to_fulfillment.parts import with_part
from process_apis.order_to_fulfillment.record import Fresh, OrderRecord, Owed, Part
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.canonical.refusals import AmountExceeded
from system_apis.canonical.values import Money
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import (
    ForAccount,
    InvoicePayment,
    NewInvoice,
    NewInvoiceLine,
    NewReceivedPayment,
    ReservationPart,
)
from system_apis.payments.v1.model import Capture, Refund


class Billing(Systems):
    """What follows when goods have left."""

    async def issue_goods(self, run: OrderRun) -> OrderRecord:
        """The goods have left the books too."""
        reference = run.key_of(ErpV1.reserve_stock, reserving_step(1))
        await self._erp.consume_reservation(reference, ForAccount(account_id=run.state.account_id))
        return run.state

    async def invoice(self, run: OrderRun) -> OrderRecord:
        """The customer owes the money."""
        order = replace(run.state, fresh=())
        invoice = await self._erp.post_invoice(
            NewInvoice(account_id=order.account_id, sales_order_id=order.sales_order_id or "")
        )
        run.say(f"{invoice.invoice_id}, {invoice.total}")
        parts = tuple(replace(part, invoice_id=invoice.invoice_id) if part.gone else part for part in order.parts)
        return replace(order, invoice_id=invoice.invoice_id, invoice_total=invoice.total, parts=parts)

    async def capture(self, run: OrderRun) -> OrderRecord:
        """The money is taken from the card, where the channel has not taken it before, and the invoice paid by it."""
        order = run.state
        await self._paid(run, order, order.invoice_id or "", order.invoice_total or total_of(order))
        return order

    async def _billed(self, run: OrderRun, order: OrderRecord, part: Part) -> OrderRecord:
        """The order after the goods issue, the invoice and the payment of one part that left."""
        with run.at(f"issue_goods:{part.number}"):
            goods = ReservationPart(account_id=order.account_id, warehouse=part.warehouse)
            await self._erp.issue_part(run.key_of(ErpV1.reserve_stock, reserving_step(part.turn)), goods)
        with run.at(f"invoice:{part.number}"):
            lines = tuple(NewInvoiceLine(line_no=line.line_no, quantity=line.quantity) for line in part.lines)
            invoice = await self._erp.post_invoice(
                NewInvoice(account_id=order.account_id, sales_order_id=order.sales_order_id or "", lines=lines)
            )
            run.say(f"{invoice.invoice_id}, {invoice.total}")
        fresh = (*order.fresh, Fresh("invoiced", part.number))
        if is_paid(order) and invoice.total.amount_minor > 0:
            with run.at(f"capture:{part.number}"):
                await self._paid(run, order, invoice.invoice_id, invoice.total)
            fresh = (*fresh, Fresh("captured", part.number))
        billed = replace(part, invoice_id=invoice.invoice_id, total=invoice.total)
        return replace(with_part(order, billed), fresh=fresh)

    async def _paid(self, run: OrderRun, order: OrderRecord, invoice_id: str, amount: Money) -> None:
        if order.payment == "card":
            await self._payments.capture(order.payment_id or "", Capture(account_id=order.account_id, amount=amount))
            run.say(str(amount))
        owed = next((one.amount for one in order.owed if one.invoice_id == invoice_id), amount)
        if owed == amount:
            await self._settled(run, order, invoice_id, owed)
            return
        with run.at(f"{run.step}:owed:{owed.amount_minor}"):
            await self._settled(run, order, invoice_id, owed)
        with run.at(f"{run.step}:give_back:{owed.amount_minor}"):
            await self._given_back(run, order, amount - owed)

    async def _settled(self, run: OrderRun, order: OrderRecord, invoice_id: str, amount: Money) -> None:
        if amount.amount_minor == 0:
            return
        try:
            await self._erp.pay_invoice(invoice_id, InvoicePayment(account_id=order.account_id, amount=amount))
        except AmountExceeded as left:
            known = tuple(one for one in order.owed if one.invoice_id != invoice_id)
            run.state = replace(order, owed=(*known, Owed(invoice_id, left.remaining)), updated_at=run.clock.now())
            raise NotYet(due_at=run.clock.now()) from None  # kept before it is paid: after that less is left
        run.say(f"{invoice_id} paid")

    async def _given_back(self, run: OrderRun, order: OrderRecord, amount: Money) -> None:
        """What the invoice did not take; what a channel has is to the account's credit."""
        if order.payment == "card":
            await self._payments.refund(order.payment_id or "", Refund(account_id=order.account_id, amount=amount))
        else:
            rest = NewReceivedPayment(
                account_id=order.account_id, amount=amount, bank_reference=order.reference, allocations=()
            )
            await self._erp.record_payment(rest)
        run.say(f"{amount} given back")
