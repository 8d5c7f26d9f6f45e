"""What a product costs an account: agreed, else contract, else volume, else list price.

The account's discount applies to list and volume prices; a contract price is final unless a
discount is agreed for the line.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

from msgspec.structs import replace

from system_apis.canonical.entities import CustomerTerms
from system_apis.canonical.refusals import AmountExceeded, CurrencyMismatch, NoTaxRate, UnknownProduct
from system_apis.canonical.values import AMOUNT_LIMIT, Money, UnitPrice
from system_apis.erp.connectors.embedded import terms as customers
from system_apis.erp.connectors.embedded.totals import tax_on
from system_apis.erp.documents import Basket, BasketLine, PricedBasket, PricedLine

VOLUME = """SELECT amount, per FROM volume_prices WHERE sku = ? AND currency = ? AND from_quantity <= ?
ORDER BY from_quantity DESC LIMIT 1"""
CONTRACT = """SELECT amount, per FROM contract_prices WHERE sku = ? AND currency = ? AND from_quantity <= ?
AND account_id = ? ORDER BY from_quantity DESC LIMIT 1"""
LIST = "SELECT amount, per FROM list_prices WHERE sku = ? AND currency = ?"


def price(connection: sqlite3.Connection, account_id: str, basket: Basket) -> PricedBasket:
    """The basket at the account's prices, with tax.

    Raises:
        UnknownAccount, UnknownProduct, CurrencyMismatch, NoTaxRate, AmountExceeded
    """
    terms = customers.get(connection, account_id)
    currency = terms.currency
    if basket.currency not in (None, currency):
        raise CurrencyMismatch(expected=currency, given=str(basket.currency))
    if basket.consumer_in is not None:
        terms = replace(terms, tax_treatment="standard", tax_country=basket.consumer_in)
    lines = tuple(_line(connection, terms, number, line) for number, line in enumerate(basket.lines, start=1))
    net = sum(line.net.amount_minor for line in lines)
    tax = tax_on((line.net.amount_minor, line.tax_rate_bp) for line in lines)
    if net + tax > AMOUNT_LIMIT:
        raise _too_much(currency)
    return PricedBasket(
        account_id=account_id,
        currency=currency,
        lines=lines,
        net=Money(net, currency),
        tax=Money(tax, currency),
        total=Money(net + tax, currency),
    )


def tax_rate(connection: sqlite3.Connection, country: str, tax_category: str) -> int:
    """The rate in basis points.

    Raises:
        NoTaxRate: there is none for this category in this country.
    """
    sql = "SELECT rate_bp FROM tax_rates WHERE country = ? AND tax_category = ?"
    row = connection.execute(sql, (country, tax_category)).fetchone()
    if row is None:
        raise NoTaxRate(country=country, tax_category=tax_category)
    return int(row["rate_bp"])


def _line(connection: sqlite3.Connection, terms: CustomerTerms, line_no: int, line: BasketLine) -> PricedLine:
    product = connection.execute(
        "SELECT tax_category, currency, category FROM products WHERE sku = ?", (line.sku,)
    ).fetchone()
    if product is None:
        raise UnknownProduct(sku=line.sku)
    found = _unit_price(connection, terms, line)
    if found is None:
        detail = f"{line.sku} has no price in {terms.currency}."
        raise CurrencyMismatch(expected=terms.currency, given=product["currency"], detail=detail)
    unit_price, source, discount_bp = found
    if unit_price.amount.currency != terms.currency:
        raise CurrencyMismatch(expected=terms.currency, given=unit_price.amount.currency)
    if unit_price.amount.amount_minor * line.quantity // unit_price.per > AMOUNT_LIMIT:
        raise _too_much(terms.currency)
    taxed = terms.tax_treatment == "standard"
    return PricedLine(
        line_no=line_no,
        sku=line.sku,
        quantity=line.quantity,
        unit_price=unit_price,
        discount_bp=discount_bp,
        net=unit_price.of(line.quantity, discount_bp),
        tax_rate_bp=tax_rate(connection, terms.tax_country, product["tax_category"]) if taxed else 0,
        source="agreed" if line.agreed_discount_bp is not None else source,
        category=product["category"],
    )


Source = Literal["list", "volume", "contract", "agreed"]


def _unit_price(
    connection: sqlite3.Connection, terms: CustomerTerms, line: BasketLine
) -> tuple[UnitPrice, Source, int] | None:
    agreed_bp = line.agreed_discount_bp
    if line.agreed_price is not None:
        return line.agreed_price, "agreed", agreed_bp or 0
    key = (line.sku, terms.currency)
    if row := connection.execute(CONTRACT, (*key, line.quantity, terms.account_id)).fetchone():
        return _price(row, terms), "contract", agreed_bp or 0
    discount_bp = terms.discount_bp if agreed_bp is None else agreed_bp
    if row := connection.execute(VOLUME, (*key, line.quantity)).fetchone():
        return _price(row, terms), "volume", discount_bp
    if row := connection.execute(LIST, key).fetchone():
        return _price(row, terms), "list", discount_bp
    return None


def _price(row: sqlite3.Row, terms: CustomerTerms) -> UnitPrice:
    return UnitPrice(Money(row["amount"], terms.currency), row["per"])


def _too_much(currency: str) -> AmountExceeded:
    limit = Money(AMOUNT_LIMIT, currency)
    return AmountExceeded(remaining=limit, requested=limit, detail="The basket is worth more than one order may be.")
