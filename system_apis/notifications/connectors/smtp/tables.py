"""The outbox of mail: every message, the words it was written in, and who is handing it over until when.

Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

mail = sa.Table(
    "mail",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("reference", sa.String(80), nullable=False, unique=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("account_id", sa.String(40), nullable=False),
    sa.Column("template", sa.String(40), nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("code", sa.Integer, nullable=False, default=0),
    sa.Column("taken_until_us", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("sent_us", sa.BigInteger),
    sa.Column("refusal", sa.Text, nullable=False, default=""),
    sa.Index("mail_account", "account_id", "seq"),
)
