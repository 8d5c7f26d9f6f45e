"""What finance agreed with accounts, and what they owe.

``exposure`` is kept with the terms, changed in the transaction of every posting that changes it:
open orders at what is not invoiced yet, plus invoices at what is neither paid nor credited.
"""

from __future__ import annotations

import sqlite3

from system_apis.canonical.entities import CreditStatus, CustomerTerms
from system_apis.canonical.refusals import CurrencyMismatch, NoTaxRate, UnknownAccount
from system_apis.canonical.values import Money


def get(connection: sqlite3.Connection, account_id: str) -> CustomerTerms:
    """The terms, or ``UnknownAccount``."""
    return _terms(_row(connection, account_id))


def put(connection: sqlite3.Connection, terms: CustomerTerms) -> CustomerTerms:
    """Insert or replace the terms.

    Raises:
        CurrencyMismatch: the limit is in another currency, or the account has postings in another one.
        NoTaxRate: its sales are taxed in a country without rates.
    """
    limit = terms.credit_limit
    if limit is not None and limit.currency != terms.currency:
        raise CurrencyMismatch(expected=terms.currency, given=limit.currency)
    _check_currency(connection, terms)
    _check_tax(connection, terms)
    connection.execute(
        """INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (account_id) DO UPDATE SET
        currency = excluded.currency, payment_terms = excluded.payment_terms, credit_limit = excluded.credit_limit,
        discount_bp = excluded.discount_bp, tax_treatment = excluded.tax_treatment,
        tax_country = excluded.tax_country, on_hold = excluded.on_hold""",
        (
            terms.account_id, terms.currency, terms.payment_terms, None if limit is None else limit.amount_minor,
            terms.discount_bp, terms.tax_treatment, terms.tax_country, int(terms.on_hold),
        ),
    )  # fmt: skip
    return get(connection, terms.account_id)


def hold(connection: sqlite3.Connection, account_id: str, on_hold: bool) -> CustomerTerms:
    """Hold the account, or let it go, and leave the rest as it is; its terms, or ``UnknownAccount``."""
    connection.execute("UPDATE terms SET on_hold = ? WHERE account_id = ?", (on_hold, account_id))
    return get(connection, account_id)


def credit(connection: sqlite3.Connection, account_id: str) -> CreditStatus:
    """Exposure, limit and headroom, or ``UnknownAccount``. Accounts that pay by card have no credit."""
    row = _row(connection, account_id)
    currency = row["currency"]
    exposure = Money(row["exposure"], currency)
    limit = 0 if row["payment_terms"] == "prepaid_card" else row["credit_limit"]
    return CreditStatus(
        account_id=account_id,
        exposure=exposure,
        limit=None if limit is None else Money(limit, currency),
        headroom=None if limit is None else Money(limit, currency) - exposure,
        on_hold=bool(row["on_hold"]),
    )


def owe(connection: sqlite3.Connection, account_id: str, amount: int) -> None:
    """Add ``amount`` minor units (negative: take off) to what the account owes."""
    connection.execute("UPDATE terms SET exposure = exposure + ? WHERE account_id = ?", (amount, account_id))


def _row(connection: sqlite3.Connection, account_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM terms WHERE account_id = ?", (account_id,)).fetchone()
    if row is None:
        raise UnknownAccount(account_id=account_id)
    return row


def _check_currency(connection: sqlite3.Connection, terms: CustomerTerms) -> None:
    sql = "SELECT currency FROM sales_orders WHERE account_id = ? AND currency <> ? AND status <> 'cancelled' LIMIT 1"
    row = connection.execute(sql, (terms.account_id, terms.currency)).fetchone()
    if row is not None:
        raise CurrencyMismatch(expected=row["currency"], given=terms.currency)


def _check_tax(connection: sqlite3.Connection, terms: CustomerTerms) -> None:
    sql = "SELECT 1 FROM tax_rates WHERE country = ? AND tax_category = 'standard'"
    if terms.tax_treatment == "standard" and not connection.execute(sql, (terms.tax_country,)).fetchone():
        raise NoTaxRate(country=terms.tax_country, tax_category="standard")


def _terms(row: sqlite3.Row) -> CustomerTerms:
    limit = row["credit_limit"]
    return CustomerTerms(
        account_id=row["account_id"],
        currency=row["currency"],
        payment_terms=row["payment_terms"],
        credit_limit=None if limit is None else Money(limit, row["currency"]),
        discount_bp=row["discount_bp"],
        tax_treatment=row["tax_treatment"],
        tax_country=row["tax_country"],
        on_hold=bool(row["on_hold"]),
    )
