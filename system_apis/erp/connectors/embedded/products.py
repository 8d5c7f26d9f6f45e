"""Products and their list prices, one per currency."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from system_apis.canonical.entities import Product
from system_apis.canonical.refusals import UnknownProduct
from system_apis.canonical.values import Money, UnitPrice
from system_apis.erp.connectors.embedded.journal import instant, stamp
from system_apis.erp.port import ProductFilter

SELECT = "SELECT p.*, l.amount, l.per FROM products p JOIN list_prices l USING (sku, currency)"


def get(connection: sqlite3.Connection, sku: str) -> Product:
    """The product, or ``UnknownProduct``."""
    row = connection.execute(f"{SELECT} WHERE p.sku = ?", (sku,)).fetchone()
    if row is None:
        raise UnknownProduct(sku=sku)
    return _product(row)


def search(connection: sqlite3.Connection, which: ProductFilter, after: str, limit: int) -> tuple[Product, ...]:
    """Products by SKU, above ``after``."""
    clauses, values = ["p.sku > ?"], list[str | int]((after,))
    if which.query:
        clauses.append("instr(p.searched, ?) > 0")
        values.append(which.query.casefold())
    if which.category is not None:
        clauses.append("p.category = ?")
        values.append(which.category)
    if which.status is not None:
        clauses.append("p.status = ?")
        values.append(which.status)
    if which.updated_since is not None:
        clauses.append("p.updated_at >= ?")
        values.append(stamp(which.updated_since))
    sql = f"{SELECT} WHERE {' AND '.join(clauses)} ORDER BY p.sku LIMIT ?"
    return tuple(_product(row) for row in connection.execute(sql, [*values, limit]))


def put(connection: sqlite3.Connection, product: Product, now: datetime) -> Product:
    """Insert or replace the product and its list price in that currency."""
    price = product.list_price
    connection.execute(
        """INSERT INTO products VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (sku) DO UPDATE SET name = excluded.name, category = excluded.category, unit = excluded.unit,
        description = excluded.description, tax_category = excluded.tax_category, status = excluded.status,
        weight_g = excluded.weight_g, currency = excluded.currency, updated_at = excluded.updated_at,
        searched = excluded.searched""",
        (
            product.sku, product.name, product.category, product.unit, product.description, product.tax_category,
            product.status, product.weight_g, price.amount.currency, stamp(now),
            f"{product.sku} {product.name} {product.description}".casefold(),
        ),
    )  # fmt: skip
    put_list_price(connection, product.sku, price)
    return get(connection, product.sku)


def put_list_price(connection: sqlite3.Connection, sku: str, price: UnitPrice) -> None:
    """Insert or replace the list price in the price's currency."""
    values = (sku, price.amount.currency, price.amount.amount_minor, price.per)
    connection.execute("INSERT OR REPLACE INTO list_prices VALUES (?, ?, ?, ?)", values)


def unknown_among(connection: sqlite3.Connection, skus: tuple[str, ...]) -> None:
    """Refuse the first SKU that is no product.

    Raises:
        UnknownProduct: there is one.
    """
    for sku in skus:
        if connection.execute("SELECT 1 FROM products WHERE sku = ?", (sku,)).fetchone() is None:
            raise UnknownProduct(sku=sku)


def _product(row: sqlite3.Row) -> Product:
    return Product(
        sku=row["sku"],
        name=row["name"],
        category=row["category"],
        unit=row["unit"],
        list_price=UnitPrice(Money(row["amount"], row["currency"]), row["per"]),
        description=row["description"],
        tax_category=row["tax_category"],
        status=row["status"],
        weight_g=row["weight_g"],
        updated_at=instant(row["updated_at"]),
    )
