"""The table of quotes: the document, and the columns by which quotes are looked up.

Instants are microseconds since 1970 UTC, as in the tables of the flow engine.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("quote_id", sa.String(80), primary_key=True),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("requested_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("quotes_newest", "requested_us", "quote_id"),
    sa.Index("quotes_account", "account_id", "requested_us", "quote_id"),
    sa.Index("quotes_updated", "updated_us"),
)
