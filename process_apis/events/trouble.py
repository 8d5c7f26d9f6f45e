"""Payments that fail or are disputed: their provider's webhook says so, and the payment itself does not."""

from __future__ import annotations

from governance.contract import NotFound
from process_apis.events.kind import happened
from process_apis.events.reports import Read, Report
from process_apis.events.taxonomy.dispute import PaymentDisputed, PaymentFailed
from system_apis.payments.notices import ReceivedPaymentNotice
from system_apis.payments.v1.contract import PaymentsV1

SOURCE = "payments reports"
KINDS = {"failed": PaymentFailed, "disputed": PaymentDisputed}


class PaymentTrouble:
    """Reads the provider's notices for what only they tell."""

    def __init__(self, payments: PaymentsV1) -> None:
        self._payments = payments

    async def read(self, after: int, limit: int) -> Read:
        """What was reported after a position.

        Raises:
            SystemUnavailable: the payments can't be asked now.
        """
        found = await self._payments.list_notices(after=after, limit=limit)
        reports = [await self._report(one) for one in found.items if one.notice.kind in KINDS]
        return Read(reports=tuple(report for report in reports if report is not None), position=found.position)

    async def _report(self, received: ReceivedPaymentNotice) -> Report | None:
        notice = received.notice
        try:
            payment = await self._payments.get_payment(notice.payment_id)
        except NotFound:
            return None
        order_id, source_id = payment.order_reference, f"webhook:{received.event_id}"
        data = KINDS[notice.kind](
            payment_id=payment.payment_id,
            account_id=payment.account_id,
            order_id=order_id,
            amount=notice.amount,
            reason=notice.reason,
        )
        event = happened(
            data, subject=order_id, account_id=payment.account_id, source="/system/payments/v1", source_id=source_id
        )
        return Report(
            events=(event,),
            flow_id=order_id,
            signal="payment",
            body=payment.payment_id.encode(),
            source_id=f"payments {source_id}",
        )
