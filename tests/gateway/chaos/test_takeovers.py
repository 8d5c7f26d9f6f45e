"""How long flows stand still is read from who recorded what when."""

from __future__ import annotations

from pathlib import Path

from gateway.chaos.plan import FOLDER
from gateway.chaos.takeovers import Waits, read_takeovers


def records(home: Path, pid: int, *lines: str) -> None:
    folder = home / FOLDER / "progress"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(pid)).write_text("".join(f"{line}\n" for line in lines))


def test_flows_of_the_dead_are_taken_over_by_others_or_go_on_with_a_successor(tmp_path: Path) -> None:
    records(tmp_path, 1, "10.0 a reserve", "10.0 b reserve", "10.5 c reserve", "10.6 c ship")
    records(tmp_path, 2, "11.2 d reserve", "12.0 a ship", "12.5 b ship", "20.0 d ship", "20.0 e reserve")
    records(tmp_path, 3, "27.0 e ship")
    found = read_takeovers(tmp_path, [(11.0, (1,)), (21.0, (2,))])
    assert found.by_others == Waits(count=2, median_s=1.5, longest_s=1.5)
    assert found.by_successors == Waits(count=1, median_s=6.0, longest_s=6.0)


def test_a_wait_in_which_somebody_else_died_is_nobodys(tmp_path: Path) -> None:
    records(tmp_path, 1, "10.0 a reserve")
    records(tmp_path, 2, "11.5 b reserve", "16.0 a ship")
    assert read_takeovers(tmp_path, [(11.0, (1,)), (12.0, (7,))]).by_others.count == 0


def test_nobody_died(tmp_path: Path) -> None:
    records(tmp_path, 1, "10.0 a reserve")
    assert read_takeovers(tmp_path, []).by_others.count == 0
