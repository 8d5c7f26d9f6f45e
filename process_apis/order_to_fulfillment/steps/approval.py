"""The yes that an order of high value waits for: asked once, told on when nobody decides, given up in the end.

It holds for what was decided about. An order that is done again at another price waits for another one.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from process_apis.flow.table import NotYet
from process_apis.order_to_fulfillment.documents import total_of
from process_apis.order_to_fulfillment.record import Approval, OrderRecord
from process_apis.order_to_fulfillment.steps.systems import OrderRun, Systems
from system_apis.canonical.refusals import NotApproved
from system_apis.canonical.values import Money

DECISION = "decision"
"""The signal; its body is a ``Decision``."""
WAITING = "awaiting_approval"


class Decision(Struct, frozen=True, kw_only=True):
    """A yes or a no, by whom, and to which state of the order: 0 before it was amended."""

    approved: bool
    by: str
    reason: str = ""
    amendments: int = 0
    total: Money | None = None
    """What it came to then; None: decided under an older version, before it could be done again."""

    def holds_for(self, order: OrderRecord) -> bool:
        """Whether it is about the order as it is now: the same wishes, at the same price."""
        if self.amendments != order.amendments:
            return False
        return not order.begun if self.total is None else self.total == order.total


decision_in = msgspec.json.Decoder(Decision).decode


def needs_approval(order: OrderRecord) -> bool:
    """Whether somebody has to say yes, also when somebody did: which steps an order has does not change with it."""
    return order.approval is not None


def waits_for_approval(order: OrderRecord) -> bool:
    """Whether somebody has to say yes before it goes on."""
    return order.approval is not None and not order.approval.approved_by


class Approvals(Systems):
    """Four eyes on orders of high value."""

    async def approve(self, run: OrderRun) -> OrderRecord:
        """Somebody who did not place the order says that it may go on."""
        order, approval = run.state, run.state.approval
        if approval is None or approval.approved_by:
            return order
        told = run.signal(DECISION)
        decision = decision_in(told) if told else None
        if decision is not None and decision.holds_for(order):
            run.note(run.step, "decide", "approved" if decision.approved else "declined", f"by {decision.by}")
            if not decision.approved:
                raise NotApproved(record_id=order.order_id, detail=decision.reason or "The order was not approved.")
            return replace(order, approval=replace(approval, approved_by=decision.by))
        now = run.clock.now()
        if now >= approval.until:
            raise NotApproved(record_id=order.order_id, detail="Nobody approved the order in time.")
        approval = await self._asked(run, order, approval, overdue=now >= approval.due_at)
        run.state = replace(order, approval=approval, stage=WAITING, updated_at=now)
        raise NotYet(due_at=approval.until if approval.escalated else approval.due_at)

    async def _asked(self, run: OrderRun, order: OrderRecord, approval: Approval, *, overdue: bool) -> Approval:
        if not approval.told:
            with run.at(f"ask_approval:{order.amendments}"):
                words = f"Order {order.reference} of {total_of(order)} waits for approval."
                await self._tell_sales(run, "approval_needed", words)
        if overdue and not approval.escalated:
            with run.at(f"escalate_approval:{order.amendments}"):
                words = f"Nobody has decided about order {order.reference} of {total_of(order)} yet."
                await self._tell_sales(run, "approval_overdue", words)
        return replace(approval, told=True, escalated=approval.escalated or overdue)
