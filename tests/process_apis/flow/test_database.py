"""The flow engine's tables, and a checkpoint's one transaction with the record of its step."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from governance.database import migrate, open_engine
from process_apis.flow.checkpoint import Checkpoints
from process_apis.flow.migration import MIGRATIONS
from process_apis.flow.slot import FlowLock
from process_apis.flow.tables import metadata, timeline

HOP = {
    "at_us": 1,
    "step": "s",
    "tier": "t",
    "api": "a",
    "operation": "o",
    "outcome": "done",
    "detail": "",
    "duration_ms": 0,
}


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 4)
    migrate(engine, tmp_path, MIGRATIONS)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": MIGRATIONS.version_table})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


@pytest.fixture
def recording(tmp_path: Path) -> sa.Engine:
    """A database with the engine's table of step records, as far as a checkpoint looks at it."""
    engine = open_engine(tmp_path, "", 4)
    migrate(engine, tmp_path, MIGRATIONS)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE operation_outputs (workflow_uuid TEXT, function_id INTEGER)"))
    return engine


RECORDS = sa.table("operation_outputs", sa.column("workflow_uuid"), sa.column("function_id"))


def test_a_checkpoint_is_one_transaction_with_the_steps_record(recording: sa.Engine) -> None:
    checkpoints = Checkpoints(recording)
    row = {"flow_id": "f", "position": 1, **HOP}
    checkpoints.expect("f", 1, lambda connection: connection.execute(sa.insert(timeline), row) and None)
    count = sa.select(sa.func.count()).select_from(timeline)
    with recording.connect() as connection:
        connection.execute(sa.insert(RECORDS), {"workflow_uuid": "f", "function_id": 1})
        assert connection.execute(count).scalar_one() == 1
        connection.rollback()
    with recording.begin() as connection:
        assert connection.execute(count).scalar_one() == 0
        connection.execute(sa.insert(RECORDS), {"workflow_uuid": "f", "function_id": 2})
        assert connection.execute(count).scalar_one() == 0
        connection.execute(sa.insert(RECORDS), {"workflow_uuid": "f", "function_id": 1})
    assert checkpoints.settle("f", 1) is None
    with recording.connect() as connection:
        assert connection.execute(count).scalar_one() == 1
    checkpoints.close()
    recording.dispose()


def test_the_change_of_a_record_that_came_without_it_is_handed_back(recording: sa.Engine) -> None:
    checkpoints, changes = Checkpoints(recording), list[sa.Connection]()
    checkpoints.expect("f", 1, changes.append)
    assert checkpoints.settle("f", 1) == changes.append
    assert checkpoints.settle("f", 1) is None
    checkpoints.close()
    recording.dispose()


def test_one_process_at_a_time_has_the_place(tmp_path: Path) -> None:
    first, second = FlowLock(tmp_path), FlowLock(tmp_path)
    assert first.take() == "slot-0"
    assert second.take() is None
    first.release()
    assert second.take() == "slot-0"
    second.release()
