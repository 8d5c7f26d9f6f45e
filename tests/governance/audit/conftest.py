"""A database with the audit's tables, and what a test needs to keep a journal in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from governance.audit import MIGRATIONS, AuditEntry, Verdict, all_anchors, verify
from governance.database import Database


@pytest.fixture
async def database(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Database]:
    database = Database(tmp_path)
    database.adopt(MIGRATIONS)
    await database.start()
    yield database
    await database.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def entry() -> Callable[..., AuditEntry]:
    def made(record: str = "SO-1", **more: Any) -> AuditEntry:
        given: dict[str, Any] = {"at": datetime(2026, 1, 1, tzinfo=UTC), "operation": "portal.v1.post_order"}
        given |= {"binding": "served", "outcome": "ok", "records": (record,), **more}
        return AuditEntry(**given)

    return made


@pytest.fixture
def verdicts(folder: Path, database: Database) -> Callable[[], list[Verdict]]:
    def of_now() -> list[Verdict]:
        return list(verify(folder, database.read_here(all_anchors)))

    return of_now
