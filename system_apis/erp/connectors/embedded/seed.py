"""What a new ERP starts with: tax rates always, the authored dataset where it is wanted.

All of it in the one transaction of the first start; a file that has tax rates is not new. The rates
are standard and reduced VAT (GST, federal part) rates as published for January 2026, for the quick
start and tests only; the United States have zero rates, because sales tax is not computed here.
"""

from __future__ import annotations

import csv
import sqlite3
from datetime import datetime
from importlib.resources import files
from typing import Any

import msgspec

from system_apis.canonical.entities import CustomerTerms, Product
from system_apis.canonical.values import Money, UnitPrice
from system_apis.embedded import seed_rows
from system_apis.erp.connectors.embedded import products, stock, terms
from system_apis.erp.documents import StockLevel

DATA = "system_apis.erp.connectors.embedded.data"
CURRENCIES = (("EUR", "price_eur_minor"), ("USD", "price_usd_minor"))

Row = dict[str, str]


def sow(connection: sqlite3.Connection, now: datetime, *, authored: bool) -> None:
    """Fill a new file; a file that is not new stays as it is."""
    if connection.execute("SELECT 1 FROM tax_rates LIMIT 1").fetchone():
        return
    for row in _rows("tax_rates"):
        for category in ("standard", "reduced", "zero"):
            values = (row["country"], category, int(row[f"{category}_bp"]))
            connection.execute("INSERT INTO tax_rates VALUES (?, ?, ?)", values)
    if authored:
        _sow_products(connection, now)
        _sow_stock(connection, now)
        _sow_prices(connection)
        for row in seed_rows("accounts"):
            terms.put(connection, _terms(row))


def _rows(name: str) -> list[Row]:
    return list(csv.DictReader(files(DATA).joinpath(f"{name}.csv").read_text("utf-8").splitlines()))


def _sow_products(connection: sqlite3.Connection, now: datetime) -> None:
    for row in seed_rows("products"):
        prices = [_price(row["per"], row[column], currency) for currency, column in CURRENCIES]
        product: dict[str, Any] = {name: row[name] for name in Product.__struct_fields__ if name in row}
        product |= {"list_price": prices[0], "weight_g": int(row["weight_g"])}
        products.put(connection, msgspec.convert(product, Product), now)
        for price in prices[1:]:
            products.put_list_price(connection, row["sku"], price)


def _sow_stock(connection: sqlite3.Connection, now: datetime) -> None:
    for row in seed_rows("sites"):
        values = (row["warehouse"], row["country"], row["serves"], row["third_party"] == "true")
        connection.execute("INSERT INTO sites VALUES (?, ?, ?, ?)", values)
    third_parties = {row["warehouse"] for row in seed_rows("sites") if row["third_party"] == "true"}
    for row in seed_rows("inventory"):
        warehouse = row["warehouse"]
        level = StockLevel(on_hand=int(row["on_hand"]), third_party=warehouse in third_parties)
        stock.put(connection, warehouse, row["sku"], level, now)


def _sow_prices(connection: sqlite3.Connection) -> None:
    for row in _rows("volume_prices"):
        for currency, column in CURRENCIES:
            values = (row["sku"], currency, int(row["from_quantity"]), int(row[column]), int(row["per"]))
            connection.execute("INSERT INTO volume_prices VALUES (?, ?, ?, ?, ?)", values)
    for row in _rows("contract_prices"):
        key = (row["account_id"], row["sku"], row["currency"], int(row["from_quantity"]))
        values = (*key, int(row["price_minor"]), int(row["per"]))
        connection.execute("INSERT INTO contract_prices VALUES (?, ?, ?, ?, ?, ?)", values)


def _price(per: str, minor: str, currency: str) -> UnitPrice:
    return msgspec.convert({"amount": Money(int(minor), currency), "per": int(per)}, UnitPrice)


def _terms(row: Row) -> CustomerTerms:
    limit = row["credit_limit_minor"]
    values: dict[str, Any] = {
        "account_id": row["account_id"],
        "currency": row["currency"],
        "payment_terms": row["payment_terms"],
        "credit_limit": Money(int(limit), row["currency"]) if limit else None,
        "discount_bp": int(row["discount_bp"]),
        "tax_treatment": row["tax_treatment"],
        "tax_country": row["tax_country"],
        "on_hold": row["on_hold"] == "true",
    }
    return msgspec.convert(values, CustomerTerms)
