"""What the steps of an order stand on: the systems of record, the returns desk, and letters to people."""

from __future__ import annotations

from process_apis.correspondence import Correspondence
from process_apis.flow.recording import recorded
from process_apis.flow.run import Run
from process_apis.order_to_fulfillment.record import OrderRecord
from process_apis.order_to_fulfillment.settings import OrderSettings
from process_apis.returns.v1.contract import ReturnsV1
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.model import NewActivity
from system_apis.erp.v1.contract import ErpV1
from system_apis.logistics.v1.contract import LogisticsV1
from system_apis.notifications.v1.contract import NotificationsV1
from system_apis.payments.v1.contract import PaymentsV1

OrderRun = Run[OrderRecord]


class Systems:
    """The contracts that steps call, each call noted on the timeline."""

    def __init__(
        self,
        erp: ErpV1,
        crm: CrmV1,
        payments: PaymentsV1,
        logistics: LogisticsV1,
        commerce: CommerceV1,
        notifications: NotificationsV1,
        returns: ReturnsV1,
        settings: OrderSettings,
    ) -> None:
        self._erp = recorded(erp, ErpV1)
        self._crm = recorded(crm, CrmV1)
        self._payments = recorded(payments, PaymentsV1)
        self._logistics = recorded(logistics, LogisticsV1)
        self._commerce = recorded(commerce, CommerceV1)
        self._returns = recorded(returns, ReturnsV1)
        self._letters = Correspondence(crm, notifications)
        self._settings = settings

    async def _tell_sales(self, run: OrderRun, kind: str, summary: str) -> None:
        order = run.state
        await self._crm.create_activity(
            NewActivity(account_id=order.account_id, kind=kind, summary=summary, subject_id=order.order_id)
        )
