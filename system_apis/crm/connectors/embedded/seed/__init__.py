"""The authored dataset of the embedded CRM, on the distributor's shared accounts.

Days are counted from the first start, so that an offer that is meant to be open is open. Written
for this project; no row describes a real company or person, and every address ends in ``.example``.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import TypeVar

import msgspec
from msgspec import Struct

from system_apis.canonical.entities import Account, Case, Opportunity, Quote
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.crm.connectors.embedded.accounts import store_account, store_contact
from system_apis.crm.connectors.embedded.cabinet import CASES, OPPORTUNITIES, QUOTES
from system_apis.crm.connectors.embedded.desk import store_case
from system_apis.crm.connectors.embedded.pipeline import store_opportunity
from system_apis.crm.drafts import NewCase, NewContact, NewOpportunity, NewQuote, NewQuoteLine
from system_apis.embedded import seed_rows

StoreQuote = Callable[[sqlite3.Connection, NewQuote, str], Quote]
T = TypeVar("T", bound=Struct)


def sow(connection: sqlite3.Connection, now: datetime, store_quote: StoreQuote) -> None:
    """Write the dataset inside a transaction, unless the file holds accounts already."""
    if connection.execute("SELECT 1 FROM account LIMIT 1").fetchone() is not None:
        return
    for account in _accounts(now):
        store_account(connection, account)
    for number, row in enumerate(_rows("contacts"), start=1):
        store_contact(connection, msgspec.convert(row, NewContact), f"seed-contact-{number}")
    _sow_opportunities(connection, now)
    _sow_quotes(connection, now, store_quote)
    _sow_cases(connection, now)


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__name__).joinpath(f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _accounts(now: datetime) -> Iterable[Account]:
    rows = seed_rows("accounts")
    # A parent has to be there first; the dataset is one level deep.
    for row in sorted(rows, key=lambda row: bool(row["parent_id"])):
        address = Address(
            name=row["name"],
            street=row["street"],
            city=row["city"],
            country=row["country"],
            postal_code=row["postal_code"],
            region=row["region"],
        )
        fields = {name: row[name] for name in ("account_id", "name", "status", "owner", "segment", "language")}
        yield msgspec.convert(
            {
                **fields,
                "parent_id": row["parent_id"] or None,
                "billing_address": address,
                "shipping_address": address,
                "updated_at": now,
            },
            Account,
        )


def _sow_opportunities(connection: sqlite3.Connection, now: datetime) -> None:
    for number, row in enumerate(_rows("opportunities"), start=1):
        reference = f"seed-opportunity-{number}"
        draft = NewOpportunity(
            account_id=row["account_id"],
            title=row["title"],
            value=Money(int(row["value_minor"]), row["currency"]),
            expected_close=(now + timedelta(days=int(row["closes_in_days"]))).date(),
        )
        made = store_opportunity(connection, draft, reference)
        OPPORTUNITIES.change(
            connection,
            made.opportunity_id,
            made.account_id,
            f"{reference}-stage",
            "move",
            _becoming(Opportunity, stage=row["stage"]),
        )


def _sow_quotes(connection: sqlite3.Connection, now: datetime, store_quote: StoreQuote) -> None:
    lines: dict[str, list[dict[str, str]]] = {}
    for row in _rows("quotes"):
        lines.setdefault(row["quote"], []).append(row)
    for number, rows in lines.items():
        first, reference = rows[0], f"seed-quote-{number}"
        draft = NewQuote(
            account_id=first["account_id"],
            lines=tuple(
                NewQuoteLine(
                    sku=row["sku"],
                    quantity=int(row["quantity"]),
                    unit_price=msgspec.convert(
                        {
                            "amount": {"amount_minor": int(row["price_minor"]), "currency": first["currency"]},
                            "per": int(row["per"]),
                        },
                        UnitPrice,
                    ),
                    discount_bp=int(row["discount_bp"]),
                )
                for row in rows
            ),
            valid_until=(now + timedelta(days=int(first["valid_days"]))).date(),
        )
        made = store_quote(connection, draft, reference)
        QUOTES.change(
            connection,
            made.quote_id,
            made.account_id,
            f"{reference}-status",
            "become",
            _becoming(Quote, status=first["status"]),
        )


def _sow_cases(connection: sqlite3.Connection, now: datetime) -> None:
    for number, row in enumerate(_rows("cases"), start=1):
        reference, resolution = f"seed-case-{number}", row.pop("resolution")
        case = store_case(connection, msgspec.convert(row, NewCase), reference, now)
        if resolution:
            step = _becoming(Case, status="closed", resolution=resolution)
            CASES.change(connection, case.case_id, case.account_id, f"{reference}-close", "close", step)


def _becoming(entity: type[T], **fields: str) -> Callable[[T], T]:
    """The step to a state that the dataset says, checked against the entity's own words."""
    return lambda record: msgspec.convert({**msgspec.structs.asdict(record), **fields}, entity)
