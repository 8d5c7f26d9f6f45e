"""What the issuer keeps: grants that users gave, their refresh tokens, and what was revoked.

Codes and refresh tokens are kept as SHA-256 digests: who reads the table can use none of them.
Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="issuer_version")

metadata = sa.MetaData()

grants = sa.Table(
    "issuer_grants",
    metadata,
    sa.Column("grant_id", sa.String(64), primary_key=True),
    sa.Column("client_id", sa.String(64), nullable=False),
    sa.Column("username", sa.String(64), nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("resources", sa.Text, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.String(64), nullable=False),
    sa.Column("code_digest", sa.String(64), nullable=False, unique=True),
    sa.Column("code_until_us", sa.BigInteger, nullable=False),
    sa.Column("spent_us", sa.BigInteger),
    sa.Column("revoked_us", sa.BigInteger),
    sa.Column("until_us", sa.BigInteger, nullable=False),
    sa.Index("issuer_grants_until", "until_us"),
)

refresh_tokens = sa.Table(
    "issuer_refresh_tokens",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("grant_id", sa.String(64), sa.ForeignKey(grants.c.grant_id, ondelete="CASCADE"), nullable=False),
    sa.Column("spent_us", sa.BigInteger),
    sa.Column("until_us", sa.BigInteger, nullable=False),
    sa.Index("issuer_refresh_tokens_grant", "grant_id"),
)

revoked = sa.Table(
    "issuer_revoked",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("revoked_us", sa.BigInteger, nullable=False),
    sa.Column("until_us", sa.BigInteger, nullable=False),
    sa.Index("issuer_revoked_since", "revoked_us"),
)
