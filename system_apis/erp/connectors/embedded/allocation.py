"""Which warehouses an order's goods come from. Pure: sites and free stock in, allocations out.

One site that covers everything is preferred to any split. Among sites, own ones go before third
parties, then the one in the destination's country, then one that serves it, then by name. A split
takes each product from one site where one has all of it, sites already chosen first.
"""

from __future__ import annotations

from msgspec import Struct

from system_apis.canonical.entities import Allocation
from system_apis.canonical.refusals import InsufficientStock

Needs = dict[str, int]
"""SKU to quantity."""


class Site(Struct, frozen=True):
    """A place, and what is free there by SKU."""

    warehouse: str
    country: str
    serves: tuple[str, ...]
    third_party: bool
    free: dict[str, int]

    def distance(self, country: str) -> int:
        """0 in the country, 1 when it serves it, else 2."""
        if self.country == country:
            return 0
        return 1 if country in self.serves else 2


def allocate(needs: Needs, sites: tuple[Site, ...], country: str) -> tuple[Allocation, ...]:
    """Where everything in ``needs`` is taken from, for a delivery to ``country``.

    Raises:
        InsufficientStock: all sites together have too little of a product.
    """
    for sku, quantity in needs.items():
        available = sum(site.free.get(sku, 0) for site in sites)
        if available < quantity:
            raise InsufficientStock(sku=sku, requested=quantity, available=available)
    ranked = sorted(sites, key=lambda site: (site.third_party, site.distance(country), site.warehouse))
    for site in ranked:
        if all(site.free.get(sku, 0) >= quantity for sku, quantity in needs.items()):
            return tuple(Allocation(sku=sku, warehouse=site.warehouse, quantity=n) for sku, n in needs.items())
    return _split(needs, ranked)


def _split(needs: Needs, ranked: list[Site]) -> tuple[Allocation, ...]:
    chosen: list[Allocation] = []
    for sku, quantity in needs.items():
        used = {allocation.warehouse for allocation in chosen}
        order = sorted(ranked, key=lambda site: (site.third_party, site.warehouse not in used))
        whole = next((site for site in order if site.free.get(sku, 0) >= quantity), None)
        chosen += take(sku, quantity, [whole] if whole else order)
    return tuple(chosen)


def take(sku: str, quantity: int, order: list[Site]) -> list[Allocation]:
    """``quantity`` of ``sku`` from these sites, as much as each has, in their order."""
    taken: list[Allocation] = []
    for site in order:
        part = min(quantity, site.free.get(sku, 0))
        if part:
            taken.append(Allocation(sku=sku, warehouse=site.warehouse, quantity=part))
            quantity -= part
    return taken
