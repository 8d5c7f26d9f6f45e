"""A connection with every table that timelines are read from, on both databases; nothing of it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from governance.database import migrate, open_engine
from process_apis.events.migration import MIGRATIONS as EVENT_TABLES
from process_apis.flow.migration import MIGRATIONS as FLOW_TABLES
from process_apis.timeline.migration import MIGRATIONS
from tests.process_apis.databases import postgresql


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    home: Path = tmp_path_factory.mktemp("timeline")
    if request.param == "sqlite":
        yield from _migrated(home, "")
        return
    with postgresql() as urls:
        yield from _migrated(home, next(urls))


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        yield connection
        connection.rollback()


def _migrated(home: Path, url: str) -> Iterator[sa.Engine]:
    engine = open_engine(home, url, 3)
    for tables in (FLOW_TABLES, EVENT_TABLES, MIGRATIONS):
        migrate(engine, home, tables)
    yield engine
    engine.dispose()
