"""The measured process API."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from governance.contract import Contract, by, create, read
from system_apis.canonical.values import Level, Sku


class Offer(Struct, frozen=True, kw_only=True):
    """What can be offered."""

    sku: Sku
    name: str
    available: Level
    account_id: str


class BenchOfferV1(Contract, Protocol, owner="Benchmark"):
    """Offers of items."""

    @read("/offers/{sku}", scope="bench-offer.offers:read", visible=by("account_id"))
    async def get_offer(self, sku: Sku) -> Offer:
        """An offer from memory."""
        ...

    @read("/upstream-offers/{sku}", scope="bench-offer.offers:read", visible=by("account_id"))
    async def get_upstream_offer(self, sku: Sku) -> Offer:
        """An offer of an item from the system behind."""
        ...

    @create("/offers", scope="bench-offer.offers:write", visible=by("account_id"))
    async def make_offer(self, offer: Offer) -> Offer:
        """An offer that is given back."""
        ...
