"""What the ERP's tests put into an ERP: products, accounts and documents under names that no dataset uses."""

from __future__ import annotations

from system_apis.canonical.entities import CustomerTerms, Product, SalesOrder
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.erp.documents import (
    NewInvoice,
    NewReservation,
    NewSalesOrder,
    NewSalesOrderLine,
    StockLevel,
    StockLine,
)
from system_apis.erp.port import ErpPort

SHIP_TO = Address(name="Goods in", street="Kai 1", city="Hamburg", country="DE")


def eur(amount_minor: int) -> Money:
    """An amount in euro cents."""
    return Money(amount_minor, "EUR")


def product(sku: str = "CT-1", price: int = 1_000, *, tax: str = "standard", per: int = 1) -> Product:
    """A product of the suite."""
    unit_price = UnitPrice(eur(price), 1000 if per == 1000 else 1)
    category = "reduced" if tax == "reduced" else "standard"
    return Product(
        sku=sku, name=f"Thing {sku}", category="Conformance", unit="piece", list_price=unit_price, tax_category=category
    )


def terms(
    account_id: str = "CT-A", *, limit: int | None = None, discount_bp: int = 0, on_hold: bool = False
) -> CustomerTerms:
    """An account of the suite that pays German tax in euro."""
    credit_limit = None if limit is None else eur(limit)
    return CustomerTerms(
        account_id=account_id, currency="EUR", credit_limit=credit_limit, discount_bp=discount_bp, on_hold=on_hold
    )


def reservation(*lines: tuple[str, int], country: str = "DE") -> NewReservation:
    """Stock for account CT-A."""
    wanted = tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in lines)
    return NewReservation(account_id="CT-A", lines=wanted, ship_country=country)


def order(*lines: tuple[str, int, int], account_id: str = "CT-A", prepaid: bool = False) -> NewSalesOrder:
    """An order of (SKU, quantity, unit price in cents) with 19 % tax."""
    return NewSalesOrder(
        account_id=account_id,
        customer_reference="PO-1",
        currency="EUR",
        ship_to=SHIP_TO,
        prepaid=prepaid,
        lines=tuple(
            NewSalesOrderLine(
                sku=sku, quantity=n, unit_price=UnitPrice(eur(price)), net=eur(n * price), tax_rate_bp=1_900
            )
            for sku, n, price in lines
        ),
    )


async def furnish(port: ErpPort, *, limit: int | None = None, stock: int = 10) -> None:
    """Product CT-1 at 10 euro with stock in one warehouse, and account CT-A."""
    await port.put_product(product())
    await port.put_stock("CT-HOME", "CT-1", StockLevel(on_hand=stock, country="DE"))
    await port.put_terms(terms(limit=limit))


async def invoiced(port: ErpPort, *lines: tuple[str, int, int]) -> SalesOrder:
    """A posted order with one invoice over all of it."""
    posted = await port.post_sales_order(order(*lines), "so-inv")
    await port.post_invoice(NewInvoice(account_id="CT-A", sales_order_id=posted.sales_order_id), "inv-1")
    return posted
