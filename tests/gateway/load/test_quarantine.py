"""The quarantine file: complete, readable, and never written over."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from gateway.load.quarantine import quarantine
from gateway.load.rows import Fault

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FAULT = Fault(file="customers.csv", line=85, field="city", reason="is empty", row='VALON,"IT, so",,,,,')


def test_one_fault_a_line_with_the_row_itself(tmp_path: Path) -> None:
    path = quarantine(tmp_path / "quarantine", NOW, (FAULT, FAULT))
    assert path.name == "20260102T030405Z.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == 2 * [
        {"file": "customers.csv", "line": "85", "field": "city", "reason": "is empty", "row": 'VALON,"IT, so",,,,,'}
    ]


def test_two_loads_in_one_second_keep_two_files(tmp_path: Path) -> None:
    paths = [quarantine(tmp_path, NOW, (FAULT,)) for _ in range(3)]
    assert [path.name for path in paths] == [
        "20260102T030405Z.csv", "20260102T030405Z-2.csv", "20260102T030405Z-3.csv",
    ]  # fmt: skip
    assert sorted(tmp_path.iterdir()) == sorted(paths)
