"""Answers at once, so that what is measured is governance."""

from __future__ import annotations

from system_apis.bench_stock.port import BenchStockPort, StockItem
from system_apis.bench_stock.v1.contract import BenchStockV1
from system_apis.canonical.values import Sku


class BenchStock(BenchStockV1):
    """The measured system API."""

    def __init__(self, port: BenchStockPort) -> None:
        self._port = port

    async def get_item(self, sku: Sku) -> StockItem:
        return StockItem(sku=sku, name="Deep groove ball bearing", available=100, account_id="ACME")

    async def get_upstream_item(self, sku: Sku) -> StockItem:
        return await self._port.fetch(sku)

    async def add_item(self, item: StockItem) -> StockItem:
        return item
