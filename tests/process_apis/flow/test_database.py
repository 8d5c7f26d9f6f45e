"""The database of Tiergate's own state: its tables, its writers, its migrations."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from process_apis.flow import migration
from process_apis.flow.checkpoint import CheckpointLost, Checkpoints
from process_apis.flow.database import open_engine
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
    migration.migrate(engine, tmp_path)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migration.VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == migration.HEAD


def test_processes_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    engines = [open_engine(tmp_path, "", 4) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda engine: migration.migrate(engine, tmp_path), engines))
    for engine in engines:
        engine.dispose()


def test_sqlite_is_opened_so_that_what_was_answered_is_on_disk(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 4)
    with engine.connect() as connection:
        pragmas = {
            name: connection.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_writers_of_one_process_take_turns(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 16)
    migration.migrate(engine, tmp_path)

    def write(position: int) -> None:
        with engine.begin() as connection:
            seen = connection.execute(sa.select(sa.func.count()).select_from(timeline)).scalar_one()
            assert seen >= 0
            connection.execute(sa.insert(timeline), {"flow_id": "f", "position": position, **HOP})

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(write, range(200)))
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(timeline)).scalar_one() == 200
    engine.dispose()


def test_a_writer_that_fails_gives_its_turn_back(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, "", 4)
    migration.migrate(engine, tmp_path)
    row = {"flow_id": "f", "position": 1, **HOP}
    with engine.begin() as connection:
        connection.execute(sa.insert(timeline), row)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(sa.insert(timeline), row)
    done = threading.Event()

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(timeline), {**row, "position": 2})
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(5)
    engine.dispose()


@pytest.fixture
def recording(tmp_path: Path) -> sa.Engine:
    """A database with the engine's table of step records, as far as a checkpoint looks at it."""
    engine = open_engine(tmp_path, "", 4)
    migration.migrate(engine, tmp_path)
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
    checkpoints.settle("f", 1)
    with recording.connect() as connection:
        assert connection.execute(count).scalar_one() == 1
    checkpoints.close()
    recording.dispose()


def test_a_record_without_its_change_stops_the_flow(recording: sa.Engine) -> None:
    checkpoints = Checkpoints(recording)
    checkpoints.expect("f", 1, lambda _: None)
    with pytest.raises(CheckpointLost):
        checkpoints.settle("f", 1)
    checkpoints.close()
    recording.dispose()


def test_one_process_at_a_time_has_the_place(tmp_path: Path) -> None:
    first, second = FlowLock(tmp_path), FlowLock(tmp_path)
    assert first.take() == "slot-0"
    assert second.take() is None
    first.release()
    assert second.take() == "slot-0"
    second.release()
