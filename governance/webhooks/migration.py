"""The revisions of the inbox."""

from __future__ import annotations

from pathlib import Path

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="inbox_version")
