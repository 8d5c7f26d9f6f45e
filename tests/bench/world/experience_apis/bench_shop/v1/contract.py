"""The measured experience API."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from governance.contract import Contract, by, create, read
from system_apis.canonical.values import Level, Sku


class Listing(Struct, frozen=True, kw_only=True):
    """What a shop shows."""

    sku: Sku
    name: str
    available: Level
    account_id: str


class BenchShopV1(Contract, Protocol, owner="Benchmark"):
    """Listings of offers."""

    @read("/listings/{sku}", scope="bench-shop.listings:read", visible=by("account_id"))
    async def get_listing(self, sku: Sku) -> Listing:
        """A listing from memory, three tiers down."""
        ...

    @read("/upstream-listings/{sku}", scope="bench-shop.listings:read", visible=by("account_id"))
    async def get_upstream_listing(self, sku: Sku) -> Listing:
        """A listing from the system behind, three tiers down."""
        ...

    @create("/listings", scope="bench-shop.listings:write", visible=by("account_id"))
    async def list_item(self, listing: Listing) -> Listing:
        """A listing that is given back, three tiers down."""
        ...
