"""What happens to stock. Its events belong to no account."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import Sku, WarehouseId


@kind("stock.changed")
class StockChanged(Struct, frozen=True, kw_only=True):
    """A warehouse has more or less of a product to sell than before."""

    sku: Sku
    warehouse: WarehouseId
    available: int
