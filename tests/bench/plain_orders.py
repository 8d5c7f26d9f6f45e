"""The steps of an order as a plain DBOS workflow over the same connectors, with nothing of Tiergate around them.

What is left out is what Tiergate adds: contracts, policies, audit, undo, the order's document and
its timeline, HTTP. So the ratio to it is what an order pays for all of that. It runs in a process
of its own: ``python plain_orders.py --orders 200 [--database-url URL]`` prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig

from governance.call import SystemClock
from governance.database import open_engine
from system_apis.canonical.entities import ShipmentLine
from system_apis.crm.connectors.embedded import connector as crm
from system_apis.crm.v1.model import NewActivity
from system_apis.embedded import RecordFiles
from system_apis.erp.connectors.embedded import connector as erp
from system_apis.erp.v1.model import (
    Basket,
    BasketLine,
    NewInvoice,
    NewReservation,
    NewSalesOrder,
    NewSalesOrderLine,
    StockLine,
)
from system_apis.logistics.connectors.embedded import connector as logistics
from system_apis.logistics.port import ShipmentRequest

ACCOUNT, SKU = "ACME", "BRG-6204"
AT_ONCE = 16
Step = Callable[..., Awaitable[Any]]


class PlainOrders:
    """What an order does to the systems of record, each effect a step of the engine."""

    def __init__(self, home: Path) -> None:
        clock, files = SystemClock(), RecordFiles(home / "systems")
        self.erp = erp.Connector(erp.Settings(), files, clock)
        self.crm = crm.Connector(crm.Settings(), files, clock)
        goods = logistics.Settings(pick_after_s=0, dispatch_after_s=0, deliver_after_s=0)
        self.logistics = logistics.Connector(goods, files, clock)

    async def start(self) -> None:
        """Open the systems."""
        for connector in (self.erp, self.crm, self.logistics):
            await connector.start()

    async def stop(self) -> None:
        """Close them."""
        for connector in (self.erp, self.crm, self.logistics):
            await connector.stop()

    async def reserve(self, key: str) -> dict[str, Any]:
        """Check account, terms, price and credit, then set the stock aside."""
        account = await self.crm.get_account(ACCOUNT)
        await self.erp.get_terms(ACCOUNT)
        basket = await self.erp.price(ACCOUNT, Basket(lines=(BasketLine(sku=SKU, quantity=1),)))
        await self.erp.get_credit_status(ACCOUNT)
        wanted = NewReservation(
            account_id=ACCOUNT,
            lines=(StockLine(sku=SKU, quantity=1),),
            ship_country=account.shipping_address.country,
            expires_in_s=86_400,
        )
        reserved = await self.erp.reserve_stock(wanted, f"{key}-reserve")
        return {"warehouse": reserved.allocations[0].warehouse, "net": basket.lines[0].net.amount_minor}

    async def post(self, key: str) -> dict[str, Any]:
        """Post the sales order."""
        account = await self.crm.get_account(ACCOUNT)
        basket = await self.erp.price(ACCOUNT, Basket(lines=(BasketLine(sku=SKU, quantity=1),)))
        line = basket.lines[0]
        order = NewSalesOrder(
            account_id=ACCOUNT,
            customer_reference=key,
            currency=basket.currency,
            lines=(
                NewSalesOrderLine(
                    sku=SKU, quantity=1, unit_price=line.unit_price, net=line.net, tax_rate_bp=line.tax_rate_bp
                ),
            ),
            ship_to=account.shipping_address,
            prepaid=False,
        )
        posted = await self.erp.post_sales_order(order, f"{key}-post")
        return {"sales_order_id": posted.sales_order_id}

    async def ship(self, key: str, warehouse: str) -> dict[str, Any]:
        """Release the shipment."""
        account = await self.crm.get_account(ACCOUNT)
        parcel = ShipmentRequest(
            account_id=ACCOUNT,
            order_reference=key,
            warehouse=warehouse,
            lines=(ShipmentLine(sku=SKU, quantity=1),),
            ship_to=account.shipping_address,
        )
        return {"shipment_id": (await self.logistics.release_shipment(parcel, f"{key}-ship")).shipment_id}

    async def issue(self, key: str, shipment_id: str) -> None:
        """See that it has left, and post the goods issue."""
        while (await self.logistics.get_shipment(shipment_id)).status not in {"dispatched", "delivered"}:
            await asyncio.sleep(0.05)
        await self.erp.consume_reservation(f"{key}-reserve", ACCOUNT)

    async def invoice(self, key: str, sales_order_id: str) -> None:
        """Post the invoice."""
        await self.erp.post_invoice(NewInvoice(account_id=ACCOUNT, sales_order_id=sales_order_id), f"{key}-invoice")

    async def tell(self, key: str) -> None:
        """Tell sales."""
        told = NewActivity(account_id=ACCOUNT, kind="order_completed", summary="Order completed.", subject_id=key)
        await self.crm.create_activity(told, f"{key}-tell")

    async def order(self, key: str) -> str:
        """The whole, as a workflow."""

        async def step(name: str, do: Step, *args: Any) -> Any:
            return await DBOS.run_step_async({"name": name}, do, key, *args)

        reserved = await step("reserve", self.reserve)
        posted = await step("post", self.post)
        shipped = await step("ship", self.ship, reserved["warehouse"])
        await step("issue", self.issue, shipped["shipment_id"])
        await step("invoice", self.invoice, posted["sales_order_id"])
        await step("tell", self.tell)
        return "completed"


async def run(home: Path, database_url: str, count: int) -> dict[str, float]:
    """Run ``count`` orders from the queue; what they took."""
    logging.getLogger("dbos").setLevel(logging.WARNING)
    plain, engine = PlainOrders(home), open_engine(home, database_url, 24)
    await plain.start()
    DBOS(
        config=DBOSConfig(
            name="plain",
            system_database_engine=engine,
            application_version="1",
            executor_id="plain",
            log_level="WARNING",
            max_executor_threads=16,
        )
    )

    @DBOS.workflow(name="order")
    async def workflow(key: str) -> str:
        return await plain.order(key)

    DBOS.launch()
    await DBOS.register_queue_async("orders", worker_concurrency=AT_ONCE, polling_interval_sec=0.05)
    began, cpu = time.perf_counter(), time.process_time()
    handles = [await DBOS.enqueue_workflow_async("orders", workflow, f"plain-{number}") for number in range(count)]
    for handle in handles:
        await handle.get_result()
    figures = {
        "completed_per_s": count / (time.perf_counter() - began),
        "cpu_ms_per_order": (time.process_time() - cpu) / count * 1000,
    }
    await asyncio.to_thread(DBOS.destroy)
    await plain.stop()
    return figures


def main() -> None:
    """Print the figures of one run as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--database-url", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tiergate-plain-") as home:
        print(json.dumps(asyncio.run(run(Path(home), options.database_url, options.orders))))


if __name__ == "__main__":
    main()
