"""Passes through, so that what is measured is the hop."""

from __future__ import annotations

from experience_apis.bench_shop.v1.contract import BenchShopV1, Listing
from process_apis.bench_offer.v1.contract import BenchOfferV1, Offer
from system_apis.canonical.values import Sku


class BenchShop(BenchShopV1):
    """The measured experience API."""

    needs = (BenchOfferV1.get_offer, BenchOfferV1.get_upstream_offer, BenchOfferV1.make_offer)

    def __init__(self, offers: BenchOfferV1) -> None:
        self._offers = offers

    async def get_listing(self, sku: Sku) -> Listing:
        return _listing(await self._offers.get_offer(sku))

    async def get_upstream_listing(self, sku: Sku) -> Listing:
        return _listing(await self._offers.get_upstream_offer(sku))

    async def list_item(self, listing: Listing) -> Listing:
        offer = Offer(sku=listing.sku, name=listing.name, available=listing.available, account_id=listing.account_id)
        return _listing(await self._offers.make_offer(offer))


def _listing(offer: Offer) -> Listing:
    return Listing(sku=offer.sku, name=offer.name, available=offer.available, account_id=offer.account_id)
