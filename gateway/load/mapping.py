"""Which columns become which fields, as data: one ``Table`` for each kind of master data.

A field takes the first of its columns that the file's header has. Names of this project come
first, those of the Northwind sample after them. docs/load.md shows the same tables to people; a
test holds the two together.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from gateway.load.converters import Converter, amount, country, currency, one_of, typed, yes_or_no
from system_apis.canonical.values import AccountId, BasisPoints, Level, Name, Sku, Text, WarehouseId


class Lookup(Struct, frozen=True):
    """The cell is a key: the value is in ``value`` of the row of ``file`` whose ``key`` equals it."""

    file: str
    key: str
    value: str
    prefix: str = ""


class Column(Struct, frozen=True):
    """A column of the file and how its cells are read."""

    name: str
    convert: Converter
    lookup: Lookup | None = None
    implies: tuple[tuple[str, str], ...] = ()
    """Fields that the column's very name settles, such as the currency of ``unit_price_usd``."""


class Field(Struct, frozen=True, kw_only=True):
    """A field of the record. Empty or absent: ``required`` is a fault, else the record keeps or defaults it."""

    target: str
    columns: tuple[Column, ...]
    required: bool = False


class Table(Struct, frozen=True, kw_only=True):
    """One kind of master data, the files it may come in, and its fields; ``key`` must be unique in a file."""

    kind: Literal["product", "stock", "account"]
    files: tuple[str, ...]
    key: tuple[str, ...]
    fields: tuple[Field, ...]


NAME = typed(Name)
TEXT = typed(Text)
LEVEL = typed(Level)
CATEGORY = Lookup("categories.csv", "category_id", "category_name")
SUPPLIER = Lookup("suppliers.csv", "supplier_id", "company_name", prefix="Supplied by ")


def _discontinued(text: str) -> str:
    return "discontinued" if yes_or_no(text) else "active"


PRODUCTS = Table(
    kind="product",
    files=("products.csv",),
    key=("sku",),
    fields=(
        Field(target="sku", columns=(Column("sku", typed(Sku)), Column("product_id", typed(Sku))), required=True),
        Field(target="name", columns=(Column("name", NAME), Column("product_name", NAME)), required=True),
        Field(
            target="category",
            columns=(Column("category", NAME), Column("category_id", NAME, lookup=CATEGORY)),
            required=True,
        ),
        Field(target="unit", columns=(Column("unit", NAME), Column("quantity_per_unit", NAME)), required=True),
        Field(target="currency", columns=(Column("currency", currency),)),
        Field(
            target="list_price",
            columns=(
                Column("list_price", amount),
                Column("unit_price_usd", amount, implies=(("currency", "USD"),)),
            ),
            required=True,
        ),
        Field(target="per", columns=(Column("per", typed(int)),)),
        Field(
            target="description",
            columns=(Column("description", TEXT), Column("supplier_id", TEXT, lookup=SUPPLIER)),
        ),
        Field(target="tax_category", columns=(Column("tax_category", one_of("standard", "reduced", "zero")),)),
        Field(
            target="status",
            columns=(Column("status", one_of("active", "discontinued")), Column("discontinued", _discontinued)),
        ),
        Field(target="weight_g", columns=(Column("weight_g", LEVEL),)),
        Field(target="on_hand", columns=(Column("on_hand", LEVEL), Column("units_in_stock", LEVEL))),
    ),
)

STOCK = Table(
    kind="stock",
    files=("inventory.csv",),
    key=("sku", "warehouse"),
    fields=(
        Field(target="sku", columns=(Column("sku", typed(Sku)), Column("product_id", typed(Sku))), required=True),
        Field(target="warehouse", columns=(Column("warehouse", typed(WarehouseId)),)),
        Field(target="on_hand", columns=(Column("on_hand", LEVEL), Column("units_in_stock", LEVEL)), required=True),
    ),
)

ACCOUNTS = Table(
    kind="account",
    files=("accounts.csv", "customers.csv"),
    key=("account_id",),
    fields=(
        Field(
            target="account_id",
            columns=(Column("account_id", typed(AccountId)), Column("customer_id", typed(AccountId))),
            required=True,
        ),
        Field(target="name", columns=(Column("name", NAME), Column("company_name", NAME)), required=True),
        Field(target="street", columns=(Column("street", NAME), Column("address", NAME)), required=True),
        Field(target="city", columns=(Column("city", NAME),), required=True),
        Field(target="region", columns=(Column("region", TEXT),)),
        Field(target="postal_code", columns=(Column("postal_code", TEXT),)),
        Field(target="country", columns=(Column("country", country),), required=True),
        Field(target="parent_id", columns=(Column("parent_id", typed(AccountId)),)),
        Field(target="owner", columns=(Column("owner", NAME),)),
        Field(target="segment", columns=(Column("segment", one_of("key", "standard", "small")),)),
        Field(target="language", columns=(Column("language", TEXT),)),
        Field(target="status", columns=(Column("status", one_of("active", "on_hold", "closed")),)),
        Field(target="currency", columns=(Column("currency", currency),)),
        Field(
            target="payment_terms",
            columns=(Column("payment_terms", one_of("prepaid_card", "net_14", "net_30", "net_60")),),
        ),
        Field(target="credit_limit", columns=(Column("credit_limit", amount),)),
        Field(target="discount_bp", columns=(Column("discount_bp", typed(BasisPoints)),)),
        Field(
            target="tax_treatment",
            columns=(Column("tax_treatment", one_of("standard", "reverse_charge", "export", "exempt")),),
        ),
        Field(target="tax_country", columns=(Column("tax_country", country),)),
        Field(target="on_hold", columns=(Column("on_hold", yes_or_no),)),
    ),
)

TABLES = (PRODUCTS, STOCK, ACCOUNTS)
"""In the order of loading: stock needs its product."""

CURRENCY = "USD"
PRODUCT_DEFAULTS = {"per": 1}
ACCOUNT_DEFAULTS = {"owner": "Inside sales"}
TERMS_DEFAULTS = {"currency": CURRENCY, "payment_terms": "net_30", "tax_treatment": "export"}
"""What a record gets that is made, where no column says it. A record that is there keeps what it has."""
