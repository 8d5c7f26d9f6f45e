"""What every ERP connector must do. Subclass it where the connector's tests are, with a ``port`` fixture.

The suite puts its own products, stock and terms, under names that no dataset uses. The ERP behind
the port must have tax rates for Germany: 19 % standard, 7 % reduced.
"""

from __future__ import annotations

from tests.system_apis.erp.conformance_parts import ErpParts
from tests.system_apis.erp.conformance_postings import ErpInvoices, ErpOrders
from tests.system_apis.erp.conformance_receivables import ErpCreditMemos, ErpReceivedPayments
from tests.system_apis.erp.conformance_returns import ErpInspections
from tests.system_apis.erp.conformance_stock import ErpMasterData, ErpStock


class ErpPortConformance(
    ErpMasterData, ErpStock, ErpOrders, ErpInvoices, ErpParts, ErpInspections, ErpCreditMemos, ErpReceivedPayments
):
    """The promises of ``ErpPort``."""
