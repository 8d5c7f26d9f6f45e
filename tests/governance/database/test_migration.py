"""Each package's revisions run once, under its own version table, whoever starts first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from governance.database import Migrations, NewerDatabase, migrate, open_engine

BROKEN = '''
"""Makes a table and fails."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table("half", sa.Column("number", sa.Integer))
    raise ValueError("broken on purpose")
'''


def test_processes_that_start_at_once_migrate_once(tmp_path: Path, notes: Migrations) -> None:
    engines = [open_engine(tmp_path, "", 4) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda engine: migrate(engine, tmp_path, notes), engines))
    assert sorted(sa.inspect(engines[0]).get_table_names()) == ["notes", "notes_version"]
    for engine in engines:
        engine.dispose()


def test_packages_do_not_share_a_version(tmp_path: Path, notes: Migrations) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "0001_marks.py").write_text((notes.folder / "0001_notes.py").read_text().replace('"notes"', '"marks"'))
    engine = open_engine(tmp_path, "", 4)
    migrate(engine, tmp_path, notes)
    migrate(engine, tmp_path, Migrations(folder=other, version_table="marks_version"))
    assert {"notes", "marks"} <= set(sa.inspect(engine).get_table_names())
    engine.dispose()


def test_a_migration_that_fails_leaves_the_version_and_ends_the_start(tmp_path: Path, notes: Migrations) -> None:
    engine = open_engine(tmp_path, "", 4)
    migrate(engine, tmp_path, notes)
    (notes.folder / "0002_broken.py").write_text(BROKEN)
    assert notes.head == "0002"
    with pytest.raises(ValueError, match="broken on purpose"):
        migrate(engine, tmp_path, notes)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM notes_version")).scalars().all() == ["0001"]
    engine.dispose()


def test_tables_of_a_newer_version_are_left_alone(tmp_path: Path, notes: Migrations) -> None:
    engine = open_engine(tmp_path, "", 4)
    migrate(engine, tmp_path, notes)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE notes_version SET version_num = '0007'"))
    said = r"^The database is of a newer Tiergate \(the tables of .+ are at 0007, this version knows 0001\); install "
    with pytest.raises(NewerDatabase, match=said):
        migrate(engine, tmp_path, notes)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT version_num FROM notes_version")).scalars().all() == ["0007"]
    engine.dispose()
