"""Record files: atomic writes, group commit, snapshots, several processes on one file."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from system_apis.canonical.values import Money
from system_apis.embedded import RecordFile, RecordFiles, fingerprint, seed_rows

ROOT = Path(__file__).parents[3]
SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL CHECK (value <= 1000)) STRICT;
INSERT OR IGNORE INTO counter VALUES ('n', 0);
"""


def rise(connection: sqlite3.Connection) -> int:
    row = connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'n' RETURNING value").fetchone()
    return int(row["value"])


def value(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM counter").fetchone()[0])


def rise_and_fail(connection: sqlite3.Connection) -> int:
    rise(connection)
    raise LookupError("no")


@pytest.fixture
def files(tmp_path: Path):
    opened = RecordFiles(tmp_path / "records")
    yield opened
    opened.close()


def test_settings_of_the_file(files: RecordFiles) -> None:
    file = files.open("a", SCHEMA)

    async def pragmas() -> tuple[object, ...]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return await file.write(lambda c: tuple(c.execute(f"PRAGMA {name}").fetchone()[0] for name in names))

    assert asyncio.run(pragmas()) == ("wal", 2, 1, 5000)


def test_a_failed_write_undoes_only_itself(files: RecordFiles) -> None:
    file = files.open("a", SCHEMA)

    async def together() -> list[object]:
        works = (rise, rise_and_fail, rise, rise_and_fail, rise)
        return await asyncio.gather(*(file.write(work) for work in works), return_exceptions=True)

    results = asyncio.run(together())
    assert [r for r in results if isinstance(r, int)] == [1, 2, 3]
    assert sum(isinstance(r, LookupError) for r in results) == 2


def test_a_read_sees_what_was_written_and_cannot_write(files: RecordFiles) -> None:
    file = files.open("a", SCHEMA)

    async def go() -> int:
        await file.write(rise)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await file.read(rise)
        return await file.read(value)

    assert asyncio.run(go()) == 1


def test_a_broken_transaction_fails_its_whole_group(files: RecordFiles) -> None:
    file = files.open("a", SCHEMA)

    def give_up(connection: sqlite3.Connection) -> None:
        connection.execute("ROLLBACK")  # what SQLite itself does on a full disk
        raise sqlite3.OperationalError("database or disk is full")

    async def go() -> int:
        with pytest.raises(sqlite3.OperationalError):
            await file.write(give_up)
        return await file.write(rise)

    assert asyncio.run(go()) == 1


def test_a_caller_that_goes_away_cancels_nothing(files: RecordFiles) -> None:
    file = files.open("a", SCHEMA)

    async def go() -> int:
        task = asyncio.create_task(file.write(rise))
        await asyncio.sleep(0)  # handed over, not waited for
        task.cancel()
        await file.write(lambda c: None)
        return await file.read(value)

    assert asyncio.run(go()) == 1


def test_closing_finishes_what_was_handed_over(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "a.sqlite", SCHEMA)

    async def go() -> list[int]:
        waiting = [asyncio.ensure_future(file.write(rise)) for _ in range(200)]
        await asyncio.sleep(0)
        file.close()
        return list(await asyncio.gather(*waiting))

    assert asyncio.run(go()) == list(range(1, 201))


def test_two_processes_share_a_file(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys; from pathlib import Path\n"
        "from system_apis.embedded import RecordFiles\n"
        "sql = 'UPDATE counter SET value = value + 1'\n"
        f"file = RecordFiles(Path(sys.argv[1])).open('a', {SCHEMA!r})\n"
        "async def go():\n"
        "    for _ in range(10):\n"
        "        await asyncio.gather(*(file.write(lambda c: c.execute(sql).rowcount) for _ in range(10)))\n"
        "asyncio.run(go()); file.close()\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT) for _ in range(2)]
    assert [child.wait(30) for child in children] == [0, 0]
    file = RecordFiles(tmp_path).open("a", SCHEMA)
    assert asyncio.run(file.read(value)) == 200
    file.close()


def test_a_name_opens_once(files: RecordFiles) -> None:
    files.open("a", SCHEMA)
    with pytest.raises(ValueError, match="open already"):
        files.open("a", SCHEMA)


def test_fingerprints_tell_contents_apart() -> None:
    assert fingerprint(Money(1, "EUR")) == fingerprint(Money(1, "EUR")) != fingerprint(Money(2, "EUR"))


def test_the_seed_accounts_are_rows_of_text() -> None:
    assert seed_rows("accounts")[0]["account_id"] == "ACME"
