"""What happens to prices. Their events belong to no account."""

from __future__ import annotations

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import Sku


@kind("price.changed")
class PriceChanged(Struct, frozen=True, kw_only=True):
    """A product's price list changed; what an account pays is asked of the ERP."""

    sku: Sku
