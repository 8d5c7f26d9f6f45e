"""What the steps of a quote stand on: the systems of record, order to fulfillment, and letters to people."""

from __future__ import annotations

from process_apis.correspondence import Correspondence
from process_apis.flow.recording import recorded
from process_apis.flow.run import Run
from process_apis.order_to_fulfillment.v1.contract import OrderToFulfillmentV1
from process_apis.quote_to_cash.links import QuoteLinks
from process_apis.quote_to_cash.record import QuoteRecord
from process_apis.quote_to_cash.settings import QuoteSettings
from system_apis.crm.v1.contract import CrmV1
from system_apis.crm.v1.model import NewActivity
from system_apis.erp.v1.contract import ErpV1

QuoteRun = Run[QuoteRecord]
LONGEST_SUMMARY = 2_000


class Systems:
    """The contracts that steps call, each call noted on the timeline."""

    def __init__(
        self,
        erp: ErpV1,
        crm: CrmV1,
        orders: OrderToFulfillmentV1,
        letters: Correspondence,
        links: QuoteLinks,
        settings: QuoteSettings,
    ) -> None:
        self._erp = recorded(erp, ErpV1)
        self._crm = recorded(crm, CrmV1)
        self._orders = recorded(orders, OrderToFulfillmentV1)
        self._letters = letters
        self._links = links
        self._settings = settings

    async def _tell_sales(self, run: QuoteRun, kind: str, summary: str) -> None:
        """Note it where the account's sales person reads it."""
        quote = run.state
        await self._crm.create_activity(
            NewActivity(
                account_id=quote.account_id,
                kind=kind,
                summary=summary[:LONGEST_SUMMARY],
                subject_id=quote.crm_quote_id or quote.quote_id,
            )
        )
