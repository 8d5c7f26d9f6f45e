"""From a checked row to the record it asks for: what the row gives, over what is there, over the defaults.

So a second load of the same file asks for exactly what is there, and a column that a file lacks
never overwrites what people changed in the system since.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from gateway.load.converters import Plain, minor_units
from gateway.load.mapping import ACCOUNT_DEFAULTS, CURRENCY, PRODUCT_DEFAULTS, TERMS_DEFAULTS
from gateway.load.rows import CheckedRow
from system_apis.canonical.entities import Account, CustomerTerms, Product
from system_apis.crm.v1.model import AccountDetails

Record = TypeVar("Record", bound=msgspec.Struct)

PRODUCT_FIELDS = ("sku", "name", "category", "unit", "description", "tax_category", "status", "weight_g")
ACCOUNT_FIELDS = ("name", "owner", "status", "parent_id", "segment", "language")
TERMS_FIELDS = ("account_id", "currency", "payment_terms", "discount_bp", "tax_treatment", "tax_country", "on_hold")


class WrongField(ValueError):
    """The cells are right one by one, but not together; ``target`` is the field to blame."""

    def __init__(self, target: str, reason: str) -> None:
        super().__init__(reason)
        self.target = target


def product(row: CheckedRow, existing: Product | None) -> Product:
    """The product the row asks for.

    Raises:
        WrongField
    """
    there = _plain(existing)
    per = row.given.get("per") or (existing.list_price.per if existing else PRODUCT_DEFAULTS["per"])
    price = {"amount": _money(row, "list_price", CURRENCY), "per": per}
    return _record(row, Product, {**there, **_given(row, PRODUCT_FIELDS), "list_price": price})


def account(row: CheckedRow, existing: Account | None) -> AccountDetails:
    """The CRM account the row asks for. Goods go to the billing address where nothing else was set.

    Raises:
        WrongField
    """
    there = _plain(existing) or {**ACCOUNT_DEFAULTS}
    given = row.given
    address = {"name": given["name"], **_given(row, ("street", "city", "region", "postal_code", "country"))}
    apart = existing is not None and existing.shipping_address != existing.billing_address
    shipping = there["shipping_address"] if apart else address
    content = {**there, **_given(row, ACCOUNT_FIELDS), "billing_address": address, "shipping_address": shipping}
    return _record(row, AccountDetails, {name: content[name] for name in _fields(AccountDetails) if name in content})


def terms(row: CheckedRow, existing: CustomerTerms | None) -> CustomerTerms:
    """The ERP terms the row asks for; a new account is taxed in the country of its address.

    Raises:
        WrongField
    """
    there = _plain(existing) or {**TERMS_DEFAULTS, "tax_country": row.given["country"]}
    content = {**there, **_given(row, TERMS_FIELDS)}
    if "credit_limit" in row.given:
        content["credit_limit"] = _money(row, "credit_limit", str(content["currency"]))
    return _record(row, CustomerTerms, content)


def _plain(existing: msgspec.Struct | None) -> dict[str, Any]:
    return msgspec.to_builtins(existing) if existing is not None else {}


def _fields(record: type[msgspec.Struct]) -> tuple[str, ...]:
    return record.__struct_fields__


def _given(row: CheckedRow, names: tuple[str, ...]) -> dict[str, Plain]:
    return {name: row.given[name] for name in names if name in row.given}


def _money(row: CheckedRow, target: str, currency: str) -> dict[str, int | str]:
    value = row.given[target]
    code = str(row.given.get("currency") or currency)
    if not isinstance(value, Decimal):
        raise TypeError(f"the converter of {target} must give a Decimal")
    try:
        return {"amount_minor": minor_units(value, code), "currency": code}
    except ValueError as error:
        raise WrongField(target, str(error)) from None


def _record(row: CheckedRow, kind: type[Record], content: dict[str, Any]) -> Record:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        words: list[str] = re.findall(r"\w+", path)
        target = next((word for word in words if word in row.columns), words[0] if words else "")
        raise WrongField(target, f"{said[:1].lower()}{said[1:]}") from None
