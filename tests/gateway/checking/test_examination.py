"""``tiergate check``: what it finds, what it advises, and that it changes nothing."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sqlite3
from collections.abc import Generator, Iterable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from gateway.checking import Finding, examine
from gateway.checking.database import examine_database
from gateway.checking.home import examine_home, is_locked
from gateway.cli import tiergate
from gateway.settings import Database, Settings
from governance.database import Migrations, migrate, open_engine


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with a free port."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIERGATE_PORT", "0")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TIERGATE_HOME", raising=False)
    return tmp_path


@pytest.fixture
def nowhere() -> Generator[int]:
    """A port of loopback that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def found(folder: Path, text: str = "") -> dict[str, Finding]:
    if text:
        (folder / "tiergate.toml").write_text(text)
    return {finding.what: finding for finding in examine(dict(os.environ), folder)}


def results(findings: Iterable[Finding]) -> dict[str, str]:
    return {finding.what: finding.result for finding in findings}


def test_a_fresh_folder_is_fit_and_stays_empty(here: Path) -> None:
    findings = found(here)
    assert set(results(findings.values()).values()) == {"ok"}
    assert set(findings) == {"configuration", "contracts", "home", "disk", "port", "store", "database"}
    assert list(here.iterdir()) == []


def test_every_violation_of_the_configuration_is_a_failure_of_its_own(here: Path) -> None:
    (here / "tiergate.toml").write_text("[gateway]\nworkers = 0\nport = 70000\n[nothing]\n")
    findings = examine(dict(os.environ), here)
    assert [finding.result for finding in findings] == ["failed"] * 3
    assert all(finding.detail.startswith("tiergate.toml: ") and finding.advice for finding in findings)


def test_what_only_a_build_can_judge_is_found(here: Path) -> None:
    (here / "tiergate.toml").write_text('[consumers.shop]\nplan = "gold"\n[consumers.feed]\nrole = "reader"\n')
    failed = [finding.detail for finding in examine(dict(os.environ), here) if finding.result == "failed"]
    assert failed == [
        "[consumers.shop]: plan 'gold' does not exist; there are default.",
        "[consumers.feed]: role 'reader' does not exist; write it, or scopes.",
    ]


def test_neighbours_that_are_away_are_told_apart(here: Path, nowhere: int) -> None:
    findings = found(
        here,
        f"""
        store = {{url = "redis://127.0.0.1:{nowhere}/0"}}
        database = {{url = "postgresql://tiergate@127.0.0.1:{nowhere}/x"}}
        issuers = [{{issuer = "http://127.0.0.1:{nowhere}"}}]
        gateway = {{tiers = ["experience", "process"]}}
        placement = {{system = "http://127.0.0.1:{nowhere}"}}
        """,
    )
    found_out = results(findings.values())
    assert (found_out["store"], found_out["database"]) == ("failed", "failed")
    assert (found_out[f"issuer http://127.0.0.1:{nowhere}"], found_out["placement.system"]) == ("warning", "warning")
    assert all(finding.advice for finding in findings.values() if finding.result != "ok")


def test_a_taken_port_is_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("TIERGATE_PORT", str(taken.getsockname()[1]))
        port = found(here)["port"]
    assert port.result == "failed"
    assert "is in use" in port.detail
    assert port.advice.startswith("Stop what listens there")


def test_a_home_that_others_can_read_is_a_warning_and_a_key_that_they_can_read_a_failure(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    assert results(examine_home(home))["home"] == "warning"
    home.chmod(0o700)
    assert results(examine_home(home))["home"] == "ok"
    (home / "keys").mkdir()
    key = home / "keys" / "hop.json"
    key.touch()
    key.chmod(0o644)
    assert f"The key file {key} can be read by others." in [finding.detail for finding in examine_home(home)]
    assert results(examine_home(key)) == {"home": "failed"}


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="locks are listed on Linux only")
def test_a_home_in_use_is_told_without_taking_its_lock(tmp_path: Path) -> None:
    file = tmp_path / "serve.lock"
    assert not is_locked(file)
    with file.open("w") as holder:
        assert not is_locked(file)
        fcntl.flock(holder, fcntl.LOCK_EX)
        assert is_locked(file)


def revisions(folder: Path, *numbers: str) -> Migrations:
    folder.mkdir(exist_ok=True)
    before = "None"
    for number in numbers:
        (folder / f"{number}_notes.py").write_text(
            f"revision, down_revision = '{number}', {before}\n\n\ndef upgrade() -> None:\n    pass\n"
        )
        before = f"'{number}'"
    return Migrations(folder=folder, version_table="notes_version")


def test_pending_migrations_are_told_and_not_run(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    tables = revisions(tmp_path / "migrations", "0001")
    assert results(examine_database(settings, [tables])) == {"database": "ok"}
    assert not (tmp_path / "tiergate.sqlite").exists()

    engine = open_engine(tmp_path, "", 1)
    migrate(engine, tmp_path, tables)
    open_too = list(examine_database(settings, [tables]))
    engine.dispose()
    before = sorted((file.name, file.stat().st_size) for file in tmp_path.glob("tiergate.sqlite*"))
    closed = list(examine_database(settings, [tables]))
    assert [finding.detail for finding in open_too] == ["it answers", "at 0001"]
    assert closed == open_too

    newer = revisions(tmp_path / "migrations", "0001", "0002")
    *_, pending = examine_database(settings, [newer])
    assert (pending.result, pending.detail) == ("warning", "They are at 0001; the next start brings them to 0002.")
    assert sorted((file.name, file.stat().st_size) for file in tmp_path.glob("tiergate.sqlite*")) == before


def test_tables_of_a_newer_version_and_a_file_that_is_no_database_are_failures(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "tiergate.sqlite") as connection:
        connection.execute("CREATE TABLE notes_version (version_num TEXT)")
        connection.execute("INSERT INTO notes_version VALUES ('0009')")
    connection.close()
    tables = revisions(tmp_path / "migrations", "0001")
    *_, newer = examine_database(Settings(home=tmp_path), [tables])
    assert (newer.result, newer.what) == ("failed", f"tables of {tmp_path.name}")
    (tmp_path / "noise.sqlite").write_bytes(b"x" * 4096)
    noise = Settings(home=tmp_path, database=Database(url=f"sqlite:///{tmp_path}/noise.sqlite"))
    assert results(examine_database(noise, [tables])) == {"database": "failed"}


def test_the_command_ends_with_1_on_failure_and_prints_json_for_scripts(here: Path) -> None:
    good = CliRunner().invoke(tiergate, ["check"], catch_exceptions=False)
    assert (good.exit_code, good.output.split()[:3]) == (0, ["Check", "Result", "Found"])
    assert "7 checks: 0 failed, 0 with a warning." in good.output
    (here / "tiergate.toml").write_text("[gateway]\nworkers = 0\n")
    bad = CliRunner().invoke(tiergate, ["check", "--json"], catch_exceptions=False)
    said = json.loads(bad.output)
    assert (bad.exit_code, said["ok"]) == (1, False)
    assert msgspec.convert(said["findings"], list[Finding])[0].result == "failed"
