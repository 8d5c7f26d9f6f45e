"""The revisions of the subscriptions' tables."""

from __future__ import annotations

from pathlib import Path

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="subscriptions_version")
