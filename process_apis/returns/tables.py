"""The table of returns: the document, and the columns by which returns are looked up.

Instants are microseconds since 1970 UTC, as in the tables of the flow engine.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

returns = sa.Table(
    "returns",
    metadata,
    sa.Column("return_id", sa.String(80), primary_key=True),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("order_id", sa.String(80), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("requested_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Index("returns_newest", "requested_us", "return_id"),
    sa.Index("returns_account", "account_id", "requested_us", "return_id"),
    sa.Index("returns_order", "order_id"),
    sa.Index("returns_updated", "updated_us"),
)
