"""Passes through, so that what is measured is the hop."""

from __future__ import annotations

from process_apis.bench_offer.v1.contract import BenchOfferV1, Offer
from system_apis.bench_stock.port import StockItem
from system_apis.bench_stock.v1.contract import BenchStockV1
from system_apis.canonical.values import Sku


class BenchOffer(BenchOfferV1):
    """The measured process API."""

    needs = (BenchStockV1.get_item, BenchStockV1.get_upstream_item, BenchStockV1.add_item)

    def __init__(self, stock: BenchStockV1) -> None:
        self._stock = stock

    async def get_offer(self, sku: Sku) -> Offer:
        return _offer(await self._stock.get_item(sku))

    async def get_upstream_offer(self, sku: Sku) -> Offer:
        return _offer(await self._stock.get_upstream_item(sku))

    async def make_offer(self, offer: Offer) -> Offer:
        item = StockItem(sku=offer.sku, name=offer.name, available=offer.available, account_id=offer.account_id)
        return _offer(await self._stock.add_item(item))


def _offer(item: StockItem) -> Offer:
    return Offer(sku=item.sku, name=item.name, available=item.available, account_id=item.account_id)
