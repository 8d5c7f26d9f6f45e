"""kill -9 in the middle: everything that was answered is in the journal, and the journal is whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from governance.audit import Filter, Verdict, search
from governance.database import Database
from tests.governance.audit import journal_process

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("answered", [1, 200])
async def test_every_answered_change_survives_a_kill(
    answered: int, tmp_path: Path, folder: Path, database: Database, verdicts: Callable[[], list[Verdict]]
) -> None:
    command = [sys.executable, journal_process.__file__, str(tmp_path)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env={"PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline().strip() for _ in range(answered)]
        process.kill()
        seen += [line.strip() for line in process.stdout if line.endswith("\n")]
    kept = {one.records[0] for one in search(folder, Filter())}
    assert set(seen) <= kept
    assert len(seen) >= answered
    (verdict,) = verdicts()
    assert verdict.fault == ""


async def test_a_torn_last_line_is_told_and_hides_nothing(
    tmp_path: Path, folder: Path, database: Database, verdicts: Callable[[], list[Verdict]]
) -> None:
    await test_every_answered_change_survives_a_kill(1, tmp_path, folder, database, verdicts)
    before = [one.records for one in search(folder, Filter())]
    last = sorted(folder.rglob("*.jsonl"))[-1]
    with last.open("ab") as file:
        file.write(b'{"type":"entry","num')
    (verdict,) = verdicts()
    assert (verdict.fault, verdict.remark) == ("", "its last line was torn by a crash")
    assert [one.records for one in search(folder, Filter())] == before
