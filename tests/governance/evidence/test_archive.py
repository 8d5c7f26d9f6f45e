"""Evidence is kept whole, readable by its owner alone, and the latest run is found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from governance.call import ManualClock
from governance.evidence import Archive, EvidenceError
from governance.evidence.archive import run_id
from tests.governance.evidence.samples import records, summary


def test_what_was_kept_is_read_again(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "evidence")
    archive.prepare()
    assert archive.latest() is None
    path = archive.keep(records(), summary())
    assert path.name == "run-1.jsonl"
    assert archive.records("run-1") == tuple(records())
    assert archive.latest() == summary()
    assert {file.stat().st_mode & 0o777 for file in archive.folder.iterdir()} == {0o600}
    assert len(list(archive.folder.iterdir())) == 2


def test_the_latest_run_is_the_last_by_time(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    ids = [run_id(ManualClock(datetime(2026, 1, day, tzinfo=UTC))) for day in (2, 1)]
    for one in ids:
        archive.keep([], msgspec.structs.replace(summary(), run=one))
    latest = archive.latest()
    assert latest is not None
    assert latest.run == ids[0]
    assert ids[0].startswith("20260102T000000Z-")


def test_a_folder_that_can_not_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceError, match="can't hold evidence"):
        Archive(tmp_path / "file" / "evidence").prepare()
