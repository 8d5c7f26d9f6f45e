"""``tiergate audit``: lists with filters, exports, verifies, erases; and says so where there is nothing."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from gateway.cli import tiergate
from gateway.cli.failure import Failure
from governance.audit import MIGRATIONS, AuditEntry, Journal, Subjects
from governance.call import SystemClock
from governance.database import Database

ENTRY = AuditEntry(
    at=datetime(2026, 1, 1, tzinfo=UTC), operation="portal.v1.post_order", binding="served", outcome="ok"
)


def run(*arguments: str) -> str:
    """The output of a command that works."""
    result = CliRunner().invoke(tiergate, ["audit", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TIERGATE_HOME", str(tmp_path / "var"))
    return tmp_path


@pytest.fixture
def home(here: Path) -> Path:
    """A home with an account of three calls, one of them Jane's."""
    asyncio.run(_three_calls(here / "var"))
    return here / "var"


async def _three_calls(home: Path) -> None:
    database = Database(home)
    database.adopt(MIGRATIONS)
    await database.start()
    jane = await Subjects(database, SystemClock()).reference("jane@acme.example")
    journal = Journal(home / "audit", database, SystemClock())
    await journal.start()
    for entry in (
        replace(ENTRY, client="portal", accounts=("ACME",), records=("SO-1",), subject=jane),
        replace(ENTRY, client="mobile", outcome="insufficient-scope"),
        replace(ENTRY, client="=cmd()", at=datetime(2026, 2, 1, tzinfo=UTC)),
    ):
        await journal.append(entry)
    await journal.stop()
    await database.stop()


def test_an_entry_is_shown_with_the_person_behind_it(home: Path) -> None:
    row = next(line for line in run("list").splitlines() if "SO-1" in line)
    assert row.split() == ["2026-01-01", "00:00:00", "ok", "portal.v1.post_order", "jane@acme.example", "ACME", "SO-1"]


@pytest.mark.parametrize(
    ("option", "value", "clients"),
    [
        ("--client", "mobile", ["mobile"]),
        ("--subject", "jane@acme.example", ["portal"]),
        ("--operation", "portal.*", ["portal", "mobile", "=cmd()"]),
        ("--operation", "erp.*", []),
        ("--record", "SO-1", ["portal"]),
        ("--account", "ACME", ["portal"]),
        ("--outcome", "refused", ["mobile"]),
        ("--outcome", "ok", ["portal", "=cmd()"]),
        ("--since", "2026-02-01", ["=cmd()"]),
        ("--until", "2026-01-31T00:00:00Z", ["portal", "mobile"]),
        ("--limit", "1", ["=cmd()"]),
    ],
)
def test_each_filter(home: Path, option: str, value: str, clients: list[str]) -> None:
    lines = run("list", "--format", "jsonl", option, value).splitlines()
    assert [json.loads(line)["client"] for line in lines] == clients


def test_a_spreadsheet_gets_no_formula(home: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "--format", "csv"))))
    assert [row["client"] for row in rows] == ["portal", "mobile", "'=cmd()"]
    assert (rows[0]["subject"], rows[0]["records"]) == ("jane@acme.example", "SO-1")


def test_a_whole_account_is_verified_and_a_spoiled_one_fails(home: Path) -> None:
    assert "whole" in run("verify")
    segment = next((home / "audit").rglob("*.jsonl"))
    segment.write_bytes(segment.read_bytes().replace(b"SO-1", b"SO-2"))
    with pytest.raises(Failure, match="1 of 1 journals are not whole"):
        run("verify")


def test_an_erased_person_is_nobody_and_the_account_is_whole(home: Path) -> None:
    run("erase", "jane@acme.example", "--yes")
    assert "jane" not in run("list")
    assert "whole" in run("verify")
    with pytest.raises(Failure, match="knows nobody"):
        run("erase", "jane@acme.example", "--yes")


def test_where_nothing_was_served_it_says_so(here: Path) -> None:
    assert run("list") == "No entry fits.\n"
    with pytest.raises(Failure, match="has no audit yet"):
        run("verify")


def test_an_instant_that_is_none_is_refused(here: Path) -> None:
    result = CliRunner().invoke(tiergate, ["audit", "list", "--since", "yesterday"])
    assert result.exit_code == 2
    assert "is no instant" in result.output
