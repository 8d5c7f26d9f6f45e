"""An older Tiergate on a database that a newer one has migrated: one sentence, by ``serve`` and by ``check``."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import tiergate
from gateway.supervisor import APP
from process_apis.flow.migration import MIGRATIONS
from tests.gateway.serving.conftest import Start

SENTENCE = (
    "The database is of a newer Tiergate (the tables of flow are at 0099, this version knows "
    f"{MIGRATIONS.head}); install the version that wrote it, or restore the backup from before."
)


def test_it_does_not_start_and_says_what_to_do(tmp_path: Path, start: Start) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    connection = sqlite3.connect(home / "tiergate.sqlite")
    with connection:
        connection.execute(f"CREATE TABLE {MIGRATIONS.version_table} (version_num TEXT)")
        connection.execute(f"INSERT INTO {MIGRATIONS.version_table} VALUES ('0099')")
    gateway = start(home, app=APP)
    assert (gateway.said(), gateway.ended()) == (f"tiergate: {SENTENCE}\n", 1)
    checked = CliRunner().invoke(tiergate, ["check", "--home", str(home)], catch_exceptions=False)
    assert checked.exit_code == 1
    found = " ".join(checked.output.split())
    assert "tables of flow failed The database is of a newer Tiergate: they are at 0099" in found
    assert "Install the version that wrote it, or restore the backup from before." in found
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%flows%'").fetchall()
    connection.close()
    assert rows == [], "nothing was changed"
