"""The revisions of order to fulfillment's own tables."""

from __future__ import annotations

from pathlib import Path

from governance.database import Migrations

MIGRATIONS = Migrations(folder=Path(__file__).parent / "migrations", version_table="order_to_fulfillment_version")
