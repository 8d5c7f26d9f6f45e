"""Reads the item from an HTTP server, as a real connector does."""

from __future__ import annotations

import aiohttp
import msgspec
from msgspec import Struct

from system_apis.bench_stock.port import StockItem
from system_apis.canonical.values import Sku

decoder = msgspec.json.Decoder(StockItem)


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where the server is."""

    url: str


class Connector:
    """A pooled HTTP client of the upstream."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.url
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, sku: Sku) -> StockItem:
        if self._session is None:
            raise RuntimeError("the connector is not started")
        async with self._session.get(f"{self._url}/items/{sku}") as response:
            return decoder.decode(await response.read())
