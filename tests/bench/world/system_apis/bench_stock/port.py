"""What the measured system API needs of its system: one item."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from system_apis.canonical.values import Level, Sku


class StockItem(Struct, frozen=True, kw_only=True):
    """A product and how much of it there is."""

    sku: Sku
    name: str
    available: Level
    account_id: str


class BenchStockPort(Protocol):
    """Reads an item from a system elsewhere."""

    async def fetch(self, sku: Sku) -> StockItem:
        """The item, over HTTP."""
        ...
