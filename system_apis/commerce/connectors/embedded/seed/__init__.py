"""The authored dataset of the embedded platform: what each channel sells, and a few orders it took.

Products and accounts are those of the distributor's shared dataset. Written for this project; no
row describes a real company or person.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib.resources import files

import msgspec

from system_apis.commerce.drafts import Channel, ItemListing, NewChannelOrder, StatusWriteBack


def authored_items() -> Iterable[tuple[Channel, str, ItemListing]]:
    """Channel, SKU and listing of every item."""
    for row in _rows("items"):
        price = {"amount_minor": int(row["price_minor"]), "currency": row["currency"]}
        listing = {"title": row["title"], "price": price, "listed": row["listed"] == "yes"}
        yield msgspec.convert(row["channel"], Channel), row["sku"], msgspec.convert(listing, ItemListing)


def authored_orders() -> Iterable[tuple[NewChannelOrder, StatusWriteBack | None]]:
    """Every order, with how far it is where it is not new."""
    lines: dict[str, list[dict[str, str]]] = {}
    for row in _rows("orders"):
        lines.setdefault(row["order"], []).append(row)
    for rows in lines.values():
        first = rows[0]
        order = {
            "channel": first["channel"],
            "account_id": first["account_id"],
            "ship_to": {name: first[name] for name in ("name", "street", "city", "postal_code", "country")},
            "lines": [_line(row) for row in rows],
        }
        write_back = {"account_id": first["account_id"], "status": first["status"]}
        status = None if first["status"] == "new" else msgspec.convert(write_back, StatusWriteBack)
        yield msgspec.convert(order, NewChannelOrder), status


def _line(row: dict[str, str]) -> dict[str, object]:
    price = {"amount_minor": int(row["price_minor"]), "currency": row["currency"]}
    return {"sku": row["sku"], "quantity": int(row["quantity"]), "unit_price": {"amount": price}}


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__name__).joinpath(f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
