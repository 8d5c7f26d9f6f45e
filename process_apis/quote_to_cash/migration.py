"""The revisions of the table of quotes."""

from __future__ import annotations

from pathlib import Path

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="quotes_version")
