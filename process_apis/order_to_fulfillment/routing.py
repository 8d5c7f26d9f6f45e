"""Which warehouses may send a product: rules by its class and by where it goes, first match first.

A product that no rule names leaves from wherever it is nearest. One with a rule leaves from the
warehouses that the rule lists only, the first that has all of it before any other.
"""

from __future__ import annotations

from msgspec import Struct

from process_apis.order_to_fulfillment.record import Line, OrderRecord

HAZARDOUS = frozenset({"LUB-SPRAY"})
"""Aerosols and the like: only sites with a licence store and send them."""
BULKY = frozenset({"DRV-MOT400", "FAS-THR16", "LUB-CLP220", "TOO-HEAT22"})
"""What no parcel carrier takes."""
NORTH_AMERICA = frozenset({"US", "CA", "MX"})


class Route(Struct, frozen=True, kw_only=True):
    """A rule: a class of products, the countries it is about (none: all), and the warehouses in their order."""

    products: frozenset[str]
    countries: frozenset[str] = frozenset()
    warehouses: tuple[str, ...]


ROUTES = (
    Route(products=HAZARDOUS, countries=NORTH_AMERICA, warehouses=("CLE-3PL",)),
    Route(products=HAZARDOUS, warehouses=("HAM", "ROT")),
    Route(products=BULKY, countries=NORTH_AMERICA, warehouses=("CLE-3PL", "ROT")),
)
"""The third party in Cleveland sends what is bulky or hazardous in North America."""


def warehouses_for(order: OrderRecord, line: Line) -> tuple[str, ...]:
    """The warehouses that may send a line, in order of preference; empty: any."""
    country = order.ship_to.country if order.ship_to is not None else ""
    for route in ROUTES:
        if line.sku in route.products and (not route.countries or country in route.countries):
            return route.warehouses
    return ()
