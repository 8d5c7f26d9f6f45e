"""Reads the item from an HTTP server, as a real connector does."""

from __future__ import annotations

from msgspec import Struct

from governance.egress import VendorClient
from system_apis.bench_stock.port import StockItem
from system_apis.canonical.values import Sku


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where the server is."""

    url: str


class Connector:
    """The upstream, through egress."""

    def __init__(self, settings: Settings, vendor: VendorClient) -> None:
        self._url = settings.url
        self._vendor = vendor

    async def start(self) -> None:
        """Nothing of its own is open."""

    async def stop(self) -> None:
        """Nothing of its own is open."""

    async def fetch(self, sku: Sku) -> StockItem:
        return (await self._vendor.request("GET", f"{self._url}/items/{sku}")).read(StockItem)
