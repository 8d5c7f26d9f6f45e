"""What people did about exceptions, in order. The number of the last deed is the exception's revision."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

exception_deeds = sa.Table(
    "exception_deeds",
    metadata,
    sa.Column("exception_id", sa.String(80), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("deed", sa.String(20), nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("key", sa.String(80), nullable=False, default=""),
)
"""``deed``: assigned, unassigned, commented, decided, escalated or notified."""
