"""Tables of order to fulfillment beside the orders themselves. Instants are microseconds since 1970 UTC."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

likenesses = sa.Table(
    "order_likenesses",
    metadata,
    sa.Column("account_id", sa.String(40), primary_key=True),
    sa.Column("likeness", sa.String(64), primary_key=True),
    sa.Column("order_id", sa.String(80), nullable=False),
    sa.Column("placed_us", sa.BigInteger, nullable=False),
    sa.Index("order_likenesses_placed", "placed_us"),
)
"""The newest order of an account that asks for the same under the same reference, whatever its channel."""
