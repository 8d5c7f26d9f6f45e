"""The ledger check: what the embedded systems hold must be exactly what the orders' own word accounts for.

Read from the files of the gateway's home, beside it or after it, by nothing of the gateway's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from governance.call import SystemClock
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded.connector import Connector as Erp
from system_apis.erp.connectors.embedded.connector import Settings as ErpSettings
from system_apis.erp.connectors.embedded.ledger import ErpLedger
from system_apis.logistics.connectors.embedded.connector import Connector as Logistics
from system_apis.logistics.connectors.embedded.connector import LedgerEntry as Shipment
from system_apis.logistics.connectors.embedded.connector import Settings as LogisticsSettings
from system_apis.payments.connectors.embedded.connector import Connector as Payments
from system_apis.payments.connectors.embedded.connector import LedgerEntry as Payment
from system_apis.payments.connectors.embedded.connector import Settings as PaymentsSettings

UNDONE = frozenset({"rejected", "cancelled"})

Order = dict[str, Any]
"""An order as an API shows it."""


class Ledgers(Struct, frozen=True, kw_only=True):
    """The systems of record at one moment."""

    erp: ErpLedger
    payments: tuple[Payment, ...]
    shipments: tuple[Shipment, ...]

    @property
    def on_hand(self) -> dict[str, int]:
        """SKU to all units of it."""
        return {level.sku: level.on_hand for level in self.erp.stock}


def read_ledgers(home: Path) -> Ledgers:
    """The ledgers in the files of ``home``."""

    async def read() -> Ledgers:
        files, clock = RecordFiles(home / "systems"), SystemClock()
        erp = Erp(ErpSettings(seed=False), files, clock)
        payments = Payments(PaymentsSettings(), files, clock)
        logistics = Logistics(LogisticsSettings(), files, clock)
        try:
            await erp.start()
            return Ledgers(erp=await erp.ledger(), payments=await payments.ledger(), shipments=await logistics.ledger())
        finally:
            files.close()

    return asyncio.run(read())


def discrepancies(now: Ledgers, orders: Iterable[Order]) -> list[str]:
    """Sentences on what ``orders`` do not account for, and on running sums that are wrong in themselves."""
    wrong = list(now.erp.discrepancies)
    wrong += [f"{account} has several live orders {reference}" for account, reference in now.erp.doubled()]
    wrong += [f"{one.account_id} still holds stock by {one.reference}" for one in now.erp.left_over()]
    for order in orders:
        wrong += _of_order(now, order)
    return wrong


def stock_discrepancies(before: Ledgers, now: Ledgers, orders: Sequence[Order]) -> list[str]:
    """Sentences on stock that did not fall by exactly what the completed ones of ``orders`` took."""
    sold: Counter[str] = Counter()
    for order in orders:
        if order["status"] == "completed":
            sold.update({line["sku"]: line["quantity"] for line in order["lines"]})
    return [
        f"{sku}: {had} less {sold[sku]} is not {now.on_hand[sku]}"
        for sku, had in before.on_hand.items()
        if had - sold[sku] != now.on_hand[sku]
    ]


def _of_order(now: Ledgers, order: Order) -> Iterator[str]:
    name = f"order {order['order_id']} ({order['status']})"
    if order["status"] not in UNDONE | {"completed"}:
        yield f"{name} has not ended"
        return
    done = order["status"] == "completed"
    total = order["total"]["amount_minor"] if done else 0
    posted = [
        one
        for one in now.erp.orders
        if (one.account_id, one.customer_reference) == (order["account_id"], order["reference"])
        and one.status != "cancelled"
    ]
    bills = len(order["invoice_ids"])  # one for each shipment
    if [(one.invoices, one.invoiced_minor) for one in posted] != ([(bills, total)] if done else []):
        yield f"{name}: the ERP has {posted}"
    by_card = [(total, "captured", total)] if done and order["payment"] == "card" else []
    paid = [one for one in now.payments if one.order_reference == order["order_id"] and one.status != "voided"]
    if [(one.amount_minor, one.status, one.captured_minor) for one in paid] != by_card:
        yield f"{name}: payments has {paid}"
    sent = [one for one in now.shipments if one.order_reference == order["order_id"] and one.status != "cancelled"]
    if bills != len(order["shipment_ids"] if done else ()):
        yield f"{name} has {bills} invoices for {len(order['shipment_ids'])} shipments"
    if sorted(one.shipment_id for one in sent) != sorted(order["shipment_ids"] if done else ()):
        yield f"{name}: logistics has {sent}"
