"""The steps of a return, one method each, and their undo.

Each takes the run and returns the return with what it settled. All of them may run again after a
crash: what they write carries a key of the flow and the step, and an undo names that key.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.correspondence import Correspondence
from process_apis.flow.recording import recorded
from process_apis.flow.run import Run
from process_apis.flow.table import NotYet
from process_apis.returns.documents import (
    credited_lines,
    erp_inspection,
    erp_return,
    lessened,
    placed,
    refuse_other,
    refuse_too_late,
    value_of,
    wanted_lines,
)
from process_apis.returns.record import OF_PROCESS, Refunding, ReturnRecord
from process_apis.returns.settings import ReturnSettings
from process_apis.returns.signals import DECISION, INSPECTION, RECEIPT, decision_in, inspection_in, receipt_in
from system_apis.canonical.entities import Return
from system_apis.canonical.refusals import (
    AmountExceeded,
    QuantityExceeded,
    ReturnExpired,
    ReturnNotAuthorised,
    WrongState,
)
from system_apis.canonical.values import Money, total
from system_apis.erp.v1.contract import ErpV1
from system_apis.erp.v1.model import ForAccount
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.notifications.v1.model import ReturnAuthorised, ReturnClosed, ReturnCredited
from system_apis.payments.v1.contract import PaymentsV1
from system_apis.payments.v1.model import Refund

MOST = 200
"""More shipments, invoices or returns than this an order does not have."""

ReturnRun = Run[ReturnRecord]


class ReturnSteps:
    """What is done for a return, over the systems of record."""

    def __init__(
        self,
        erp: ErpV1,
        logistics: LogisticsV1,
        payments: PaymentsV1,
        correspondence: Correspondence,
        settings: ReturnSettings,
    ) -> None:
        self._erp = recorded(erp, ErpV1)
        self._logistics = recorded(logistics, LogisticsV1)
        self._payments = recorded(payments, PaymentsV1)
        self._correspondence = correspondence
        self._settings = settings

    async def check_order(self, run: ReturnRun) -> ReturnRecord:
        """The order is the ERP's, it has the goods, they have left, they are not returned yet, and it is not too late."""
        goods = run.state
        order = await self._erp.get_sales_order(goods.sales_order_id)
        if order.account_id != goods.account_id:
            raise NotFound
        refuse_other(goods, order)
        invoices = await self._erp.list_invoices(
            account_id=goods.account_id, sales_order_id=goods.sales_order_id, limit=MOST
        )
        by_process = goods.reason == OF_PROCESS
        if not by_process:
            refuse_too_late(invoices.items, self._settings, run.clock.now())
        shipments = await self._logistics.list_shipments(
            account_id=goods.account_id, order_reference=goods.order_id, limit=MOST
        )
        returns = await self._erp.list_returns(
            account_id=goods.account_id, sales_order_id=goods.sales_order_id, limit=MOST
        )
        own = run.key_of(ErpV1.create_return, "authorise")
        before = [one for one in returns.items if one.status != "cancelled" and one.reference != own]
        lines = placed(goods, order, shipments.items, before)
        value = value_of(lines, order)
        run.say(f"{value} of order {order.customer_reference}")
        return replace(
            goods,
            lines=lines,
            order_reference=order.customer_reference,
            value=value,
            needs_decision=not by_process and value.amount_minor > self._settings.approval_above_minor,
        )

    async def decide(self, run: ReturnRun) -> ReturnRecord:
        """Somebody says yes to what is worth a lot."""
        told = run.signal(DECISION)
        if told is None:
            raise NotYet
        decision = decision_in(told)
        run.note(run.step, "decide", "approved" if decision.approved else "declined", f"by {decision.by}")
        if not decision.approved:
            raise ReturnNotAuthorised(return_id=run.state.return_id, detail=decision.reason)
        return replace(run.state, decision=decision)

    async def authorise(self, run: ReturnRun) -> ReturnRecord:
        """The ERP expects the goods; they can't be returned twice."""
        try:
            made = await self._erp.create_return(erp_return(run.state))
        except WrongState:
            if run.state.reason == OF_PROCESS:  # its invoice is on its way
                raise NotYet from None
            raise
        except QuantityExceeded as left:  # somebody was faster: what there is now is kept, and asked for
            lines = lessened(run.state, run.state.lines, left)
            order = await self._erp.get_sales_order(run.state.sales_order_id)
            run.state = replace(run.state, lines=lines, value=value_of(lines, order))
            raise NotYet(due_at=run.clock.now()) from None
        run.say(f"{made.return_id}, {made.credit}")
        due = run.clock.now() + timedelta(seconds=self._settings.receive_within_s)
        return replace(run.state, rma=made.return_id, send_by=due)

    async def withdraw(self, run: ReturnRun) -> bool:
        """The ERP does not expect the goods any more; they can be returned under another number."""
        reference = run.key_of(ErpV1.create_return, "authorise")
        cancelled = await self._erp.cancel_return(reference, ForAccount(account_id=run.state.account_id))
        return cancelled.outcome == "cancelled"

    async def tell_authorised(self, run: ReturnRun) -> ReturnRecord:
        """The customer knows what to write on the parcel, and until when."""
        goods = run.state
        content = ReturnAuthorised(
            return_id=goods.rma or goods.return_id,
            order_reference=goods.order_reference or goods.order_id,
            lines=wanted_lines(goods),
            send_by=goods.send_by.date() if goods.send_by else None,
        )
        await self._correspondence.tell(run, goods.account_id, content)
        return goods

    async def await_goods(self, run: ReturnRun) -> ReturnRecord:
        """The goods are here, or their time is over."""
        goods = run.state
        told = run.signal(RECEIPT)
        if told is not None:
            return replace(goods, receipt=receipt_in(told))
        if goods.send_by is not None and run.clock.now() >= goods.send_by:
            due_on = goods.send_by.date()
            raise ReturnExpired(due_on=due_on, detail=f"Nothing came until {due_on}.")
        raise NotYet(due_at=goods.send_by)

    async def receive(self, run: ReturnRun) -> ReturnRecord:
        """The goods are ours to look at: from here on there is no way back."""
        came = run.state.receipt.lines if run.state.receipt else ()
        run.note(run.step, "receive", "done", ", ".join(f"{line.quantity} x {line.sku}" for line in came))
        return run.state

    async def inspect(self, run: ReturnRun) -> ReturnRecord:
        """Somebody has looked at every line."""
        told = run.signal(INSPECTION)
        if told is None:
            raise NotYet
        return replace(run.state, inspection=inspection_in(told))

    async def dispose(self, run: ReturnRun) -> ReturnRecord:
        """What can be sold again is in stock; what was not accepted can be returned another time."""
        goods = run.state
        posted = await self._erp.inspect_return(goods.rma or "", erp_inspection(goods))
        run.say(f"{posted.return_id}, {posted.credit} to credit")
        return replace(goods, credit=posted.credit)

    async def credit(self, run: ReturnRun) -> ReturnRecord:
        """The customer owes less, or has something to come; what of it was paid by card goes back to the card."""
        goods = run.state
        credited = await self._erp.credit_return(goods.rma or "", ForAccount(account_id=goods.account_id))
        run.say(f"{credited.return_id}, {credited.credit}")
        rest = (goods.worth or credited.credit) - credited.credit
        refund = goods.refund or await self._refund_of(goods, credited)  # done again, it would see its own
        return replace(
            goods,
            credit=credited.credit,
            uncredited=rest if rest.amount_minor > 0 else None,
            credit_memo_ids=credited.credit_memo_ids,
            refund=refund,
            credited_by="card" if refund else "account",
        )

    async def refund(self, run: ReturnRun) -> ReturnRecord:
        """The money is on its way back to the card."""
        goods = run.state
        if goods.refund is not None:
            wish = Refund(account_id=goods.account_id, amount=goods.refund.amount)
            await self._payments.refund(goods.refund.payment_id, wish)
            run.say(str(goods.refund.amount))
        return goods

    async def see_to_rest(self, run: ReturnRun) -> ReturnRecord:
        """People know what of the goods' worth was not credited, and leave it so, or credit it by hand."""
        rest = run.state.uncredited
        if rest is None:
            return run.state
        raise AmountExceeded(
            remaining=Money(0, rest.currency),
            requested=rest,
            detail=f"{rest} of what was accepted is not credited: the order's invoices were credited before.",
        )

    async def close(self, run: ReturnRun) -> ReturnRecord:
        """The customer knows what came of it."""
        goods = run.state
        if goods.credits_something and goods.credit is not None:
            content = ReturnCredited(
                return_id=goods.rma or goods.return_id,
                order_reference=goods.order_reference or goods.order_id,
                credit=goods.credit,
                by=goods.credited_by or "account",
                lines=credited_lines(goods),
                credit_memo_id=goods.credit_memo_ids[0] if goods.credit_memo_ids else None,
            )
            await self._correspondence.tell(run, goods.account_id, content)
        else:
            said = goods.inspection.reason if goods.inspection else ""
            await self._tell_closed(run, "rejected", said or ("It was credited before." if goods.uncredited else ""))
        return goods

    async def tell_end(self, run: ReturnRun) -> ReturnRecord:
        """The customer knows that there will be no credit, and why."""
        goods = run.state
        outcome = goods.status if goods.status in ("cancelled", "expired") else "refused"
        await self._tell_closed(run, outcome, goods.end_reason or "")
        return goods

    async def _tell_closed(self, run: ReturnRun, outcome: str, reason: str) -> None:
        goods = run.state
        content = ReturnClosed(
            return_id=goods.rma or goods.return_id,
            order_reference=goods.order_reference or goods.order_id,
            outcome=outcome,  # type: ignore[arg-type] - one of the four that the callers name
            reason=reason,
        )
        await self._correspondence.tell(run, goods.account_id, content)

    async def _refund_of(self, goods: ReturnRecord, credited: Return) -> Refunding | None:
        """The card payment that goes back for what was credited, as far as it was paid and the payment reaches.

        What is not paid yet is not owed any more; the order's own process sees to it when its money comes.
        """
        memos = [await self._erp.get_credit_memo(one) for one in credited.credit_memo_ids]
        to_refund = total(tuple(memo.to_refund for memo in memos), credited.credit.currency)
        payments = await self._payments.list_payments(
            account_id=goods.account_id, order_reference=goods.order_id, limit=MOST
        )
        for payment in payments.items:
            left = payment.captured - payment.refunded
            if left.currency == to_refund.currency and min(left.amount_minor, to_refund.amount_minor) > 0:
                amount = Money(min(left.amount_minor, to_refund.amount_minor), left.currency)
                return Refunding(payment_id=payment.payment_id, amount=amount)
        return None
