"""Backups of a home that nobody serves: what is in them, and when they are not restored."""

from __future__ import annotations

import io
import itertools
import sqlite3
import tarfile
import threading
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gateway.backup import NotABackup, NotRestored, restore, take
from gateway.backup.contents import contents
from gateway.backup.manifest import Manifest
from gateway.embedded.claim import HomeLock
from gateway.serving.home import Home
from gateway.serving.refusal import StartRefused

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def quiet(_: str) -> None:
    """Nobody is told."""


def noted(home: Path, name: str = "tiergate.sqlite") -> list[int]:
    with closing(sqlite3.connect(home / name)) as database:
        return [row[0] for row in database.execute("SELECT n FROM notes ORDER BY n")]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for folder in ("keys", "systems", "audit/w1", "appendonlydir", "log"):
        (home / folder).mkdir(parents=True)
    for name in ("tiergate.sqlite", "systems/erp.sqlite"):
        with closing(sqlite3.connect(home / name)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE notes (n INTEGER)")
            database.execute("INSERT INTO notes VALUES (1)")
            database.commit()
    (home / "keys" / "hop.json").write_text("{}")
    (home / "audit" / "w1" / "1.jsonl").write_text("entry\n")
    (home / "appendonlydir" / "a.aof.manifest").write_text("file a.aof.1.base.rdb\n")
    (home / "appendonlydir" / "a.aof.1.base.rdb").write_text("REDIS")
    for remade in ("serve.lock", "valkey.pid", "log/gateway.log", "systems/.opening.lock"):
        (home / remade).write_text("x")
    return home


@pytest.fixture
def archive(home: Path, tmp_path: Path) -> Path:
    take(home, tmp_path / "b.tar.gz", version="1.0", database="sqlite", now=NOW, told=quiet)
    return tmp_path / "b.tar.gz"


def rewritten(archive: Path, change: dict[str, bytes]) -> Path:
    """The archive with other members."""
    new = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(new, "w:gz") as out:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            content = change.get(member.name, file.read())
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return new


def manifest_of(archive: Path) -> Manifest:
    with tarfile.open(archive) as members:
        file = members.extractfile("manifest.json")
        assert file is not None
        return msgspec.json.decode(file.read(), type=Manifest)


def test_the_store_comes_first_then_the_databases(home: Path) -> None:
    assert [path.as_posix() for path in contents(home)] == [
        "appendonlydir/a.aof.manifest",
        "appendonlydir/a.aof.1.base.rdb",
        "systems/erp.sqlite",
        "tiergate.sqlite",
        "audit/w1/1.jsonl",
        "keys/hop.json",
    ]


def test_what_was_backed_up_comes_back(home: Path, archive: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    assert restore(archive, new, replace=False, now=NOW, told=quiet).taken_at == NOW
    assert contents(new) == contents(home)
    assert noted(new) == noted(new, "systems/erp.sqlite") == [1]
    assert (new / "keys" / "hop.json").stat().st_mode & 0o777 == 0o600
    assert archive.stat().st_mode & 0o777 == 0o600


def test_a_database_in_use_is_copied_as_of_one_moment(home: Path, tmp_path: Path) -> None:
    files = ("tiergate.sqlite", "systems/erp.sqlite")
    for number in range(25):  # in between, so that there is time for a change
        with closing(sqlite3.connect(home / "systems" / f"m{number}.sqlite")) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE notes (n INTEGER)")
    done = threading.Event()

    def write() -> None:
        """The same numbers in both files: first here, then there, so they differ by one at most."""
        with ExitStack() as stack:
            databases = [
                stack.enter_context(closing(sqlite3.connect(home / name, isolation_level=None, timeout=40)))
                for name in files
            ]
            for number in itertools.count(2):
                if done.is_set():
                    return
                for database in databases:
                    database.execute("INSERT INTO notes VALUES (?)", (number,))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for round_ in range(3):
            archive = tmp_path / f"b{round_}.tar.gz"
            take(home, archive, version="1.0", database="sqlite", now=NOW, told=quiet)
            restore(archive, tmp_path / f"new{round_}", replace=False, now=NOW, told=quiet)
            first, second = (noted(tmp_path / f"new{round_}", name) for name in files)
            assert len(first) - len(second) in (0, 1)
            assert first[: len(second)] == second
    finally:
        done.set()
        writer.join()


def test_a_home_with_state_is_replaced_only_when_said(home: Path, archive: Path) -> None:
    (home / "later").write_text("x")
    with pytest.raises(NotRestored, match="Say --replace"):
        restore(archive, home, replace=False, now=NOW, told=quiet)
    assert (home / "later").exists()
    restore(archive, home, replace=True, now=NOW, told=quiet)
    assert not (home / "later").exists()
    assert (home / ".replaced-20261121T120000Z" / "later").read_text() == "x"
    assert noted(home) == [1]


@pytest.mark.parametrize("lock", ["serve.lock", "flows.lock"])
def test_a_home_that_a_gateway_runs_on_is_left_alone(home: Path, archive: Path, lock: str) -> None:
    held = HomeLock(home / lock)
    held.open()
    assert held.take()
    try:
        with pytest.raises(NotRestored, match="A gateway runs"):
            restore(archive, home, replace=True, now=NOW, told=quiet)
    finally:
        held.close()
    assert noted(home) == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"keys/hop.json": b"[]"}, "hop.json in it is damaged"),
        ({"manifest.json": b"{}"}, "manifest can't be read"),
        ({"tiergate.sqlite": b"SQLite format 3\0" + b"\0" * 84}, "tiergate.sqlite in it is damaged"),
    ],
)
def test_a_damaged_backup_changes_nothing(home: Path, archive: Path, change: dict[str, bytes], words: str) -> None:
    with pytest.raises(NotABackup, match=words):
        restore(rewritten(archive, change), home, replace=True, now=NOW, told=quiet)
    assert noted(home) == [1]
    assert not (home / ".restoring").exists()


def test_a_backup_that_broke_off_changes_nothing(home: Path, archive: Path) -> None:
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotABackup):
        restore(archive, home, replace=True, now=NOW, told=quiet)
    archive.write_text("no archive at all")
    with pytest.raises(NotABackup, match="can't be read"):
        restore(archive, home, replace=True, now=NOW, told=quiet)
    assert noted(home) == [1]


def test_no_backup_writes_outside_the_home(archive: Path, tmp_path: Path) -> None:
    manifest = manifest_of(archive)
    outside = msgspec.structs.replace(manifest.files[-1], path="../outside")
    changed = msgspec.structs.replace(manifest, files=(outside,))
    with pytest.raises(NotABackup, match="outside of a home"):
        restore(
            rewritten(archive, {"manifest.json": msgspec.json.encode(changed)}),
            tmp_path / "new", replace=False, now=NOW, told=quiet,
        )  # fmt: skip
    assert not (tmp_path / "outside").exists()


def test_a_backup_of_a_later_version_is_refused(archive: Path, tmp_path: Path) -> None:
    later = msgspec.structs.replace(manifest_of(archive), format=2, version="9.0")
    with pytest.raises(NotABackup, match=r"Tiergate 9\.0, which is later"):
        restore(
            rewritten(archive, {"manifest.json": msgspec.json.encode(later)}),
            tmp_path / "new", replace=False, now=NOW, told=quiet,
        )  # fmt: skip


def test_an_interrupted_restore_is_done_again_before_any_start(home: Path, archive: Path) -> None:
    (home / ".restoring").mkdir()
    with pytest.raises(StartRefused, match="run tiergate restore again"):
        Home(home)
    restore(archive, home, replace=False, now=NOW, told=quiet)
    Home(home).leave()
    assert noted(home) == [1]
