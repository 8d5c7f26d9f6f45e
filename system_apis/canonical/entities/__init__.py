"""The canonical entities: what systems of record hold, in words no vendor owns.

For ports, flows and system contracts only. Process and experience versions own their own
Structs, so a change here never reaches a portal by accident. Status words are open enums on
the wire: readers must expect new ones.
"""

from __future__ import annotations

from system_apis.canonical.entities.fulfilment import (
    ChannelOrder,
    ChannelOrderLine,
    Payment,
    Shipment,
    ShipmentLine,
    StorefrontItem,
    TrackingEvent,
)
from system_apis.canonical.entities.goods import (
    Allocation,
    Availability,
    CustomerPrice,
    InventoryPosition,
    Product,
    Reservation,
)
from system_apis.canonical.entities.relations import (
    Account,
    AccountTree,
    Activity,
    Case,
    Contact,
    Opportunity,
    Quote,
    QuoteLine,
)
from system_apis.canonical.entities.sales import (
    CreditStatus,
    CustomerTerms,
    Invoice,
    InvoiceLine,
    Return,
    SalesOrder,
    SalesOrderLine,
)

__all__ = [
    "Account",
    "AccountTree",
    "Activity",
    "Allocation",
    "Availability",
    "Case",
    "ChannelOrder",
    "ChannelOrderLine",
    "Contact",
    "CreditStatus",
    "CustomerPrice",
    "CustomerTerms",
    "InventoryPosition",
    "Invoice",
    "InvoiceLine",
    "Opportunity",
    "Payment",
    "Product",
    "Quote",
    "QuoteLine",
    "Reservation",
    "Return",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
    "StorefrontItem",
    "TrackingEvent",
]
