"""What the audit keeps in the database: where each journal stands, and what references stand for.

The anchors lie apart from the segments, so a segment or a whole journal that disappears is missed.
Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="audit_version")

metadata = sa.MetaData()

anchors = sa.Table(
    "audit_anchors",
    metadata,
    sa.Column("journal", sa.String(64), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("kept_from", sa.BigInteger, nullable=False),
    sa.Column("kept_before", sa.String(64), nullable=False),
    sa.Column("anchored_us", sa.BigInteger, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
)

subjects = sa.Table(
    "audit_subjects",
    metadata,
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("reference", sa.String(64), nullable=False, unique=True),
)
