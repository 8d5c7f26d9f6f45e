"""Bodies and answers of ERP v1: the ERP's own documents, as they are in this version."""

from __future__ import annotations

from system_apis.erp.documents import (
    Basket,
    BasketLine,
    CancelResult,
    ForAccount,
    HoldSeconds,
    InvoicePayment,
    LineNo,
    NewInvoice,
    NewInvoiceLine,
    NewReservation,
    NewReturn,
    NewReturnLine,
    NewSalesOrder,
    NewSalesOrderLine,
    PricedBasket,
    PricedLine,
    ReleaseResult,
    StockLevel,
    StockLine,
)

__all__ = [
    "Basket",
    "BasketLine",
    "CancelResult",
    "ForAccount",
    "HoldSeconds",
    "InvoicePayment",
    "LineNo",
    "NewInvoice",
    "NewInvoiceLine",
    "NewReservation",
    "NewReturn",
    "NewReturnLine",
    "NewSalesOrder",
    "NewSalesOrderLine",
    "PricedBasket",
    "PricedLine",
    "ReleaseResult",
    "StockLevel",
    "StockLine",
]
