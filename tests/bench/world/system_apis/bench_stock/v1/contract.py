"""The measured system API."""

from __future__ import annotations

from typing import Protocol

from governance.contract import Contract, by, create, read
from system_apis.bench_stock.port import StockItem
from system_apis.canonical.values import Sku


class BenchStockV1(Contract, Protocol, owner="Benchmark"):
    """One item, from memory or from upstream."""

    @read("/items/{sku}", scope="bench-stock.items:read", visible=by("account_id"))
    async def get_item(self, sku: Sku) -> StockItem:
        """An item from memory."""
        ...

    @read("/upstream-items/{sku}", scope="bench-stock.items:read", visible=by("account_id"))
    async def get_upstream_item(self, sku: Sku) -> StockItem:
        """An item from the system behind."""
        ...

    @create("/items", scope="bench-stock.items:write", visible=by("account_id"))
    async def add_item(self, item: StockItem) -> StockItem:
        """An item that is given back."""
        ...
