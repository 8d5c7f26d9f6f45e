"""Reservations with wishes: products that leave from certain warehouses only, and what there is of the rest.

A product with warehouses of its own is taken from the first of them that has all of it, else from all of
them in the order given. What is free anywhere is no matter to it.
"""

from __future__ import annotations

from system_apis.canonical.entities import Allocation
from system_apis.canonical.refusals import InsufficientStock
from system_apis.erp.connectors.embedded.allocation import Needs, Site, allocate, take
from system_apis.erp.documents import NewReservation


def routed(request: NewReservation, needs: Needs, sites: tuple[Site, ...]) -> tuple[Allocation, ...]:
    """Where everything in ``needs`` is taken from, or with ``partial`` as much of it as there is.

    Raises:
        InsufficientStock: too little of a product in its warehouses; with ``partial`` nothing of any.
    """
    only = {line.sku: line.from_warehouses for line in request.lines if line.from_warehouses}
    if request.partial:
        needs = _there(needs, only, sites)
    chosen: list[Allocation] = []
    for sku, quantity in needs.items():
        if sku in only:
            chosen += _from(only[sku], sku, quantity, sites)
    return (*chosen, *allocate({sku: n for sku, n in needs.items() if sku not in only}, sites, request.ship_country))


def _from(warehouses: tuple[str, ...], sku: str, quantity: int, sites: tuple[Site, ...]) -> list[Allocation]:
    allowed = _allowed(warehouses, sites)
    available = sum(site.free.get(sku, 0) for site in allowed)
    if available < quantity:
        raise InsufficientStock(sku=sku, requested=quantity, available=available)
    whole = next((site for site in allowed if site.free.get(sku, 0) >= quantity), None)
    return take(sku, quantity, [whole] if whole else allowed)


def _there(needs: Needs, only: dict[str, tuple[str, ...]], sites: tuple[Site, ...]) -> Needs:
    found: Needs = {}
    for sku, quantity in needs.items():
        allowed = _allowed(only[sku], sites) if sku in only else sites
        if part := min(quantity, sum(site.free.get(sku, 0) for site in allowed)):
            found[sku] = part
    if not found:
        sku, quantity = next(iter(needs.items()))
        raise InsufficientStock(sku=sku, requested=quantity, available=0)
    return found


def _allowed(warehouses: tuple[str, ...], sites: tuple[Site, ...]) -> list[Site]:
    by_name = {site.warehouse: site for site in sites}
    return [by_name[name] for name in warehouses if name in by_name]
