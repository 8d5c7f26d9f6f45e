"""How long flows stand still is read from who noted what when."""

from __future__ import annotations

from pathlib import Path

from gateway.chaos.plan import FOLDER
from gateway.chaos.takeovers import Waits, read_takeovers


def notes(home: Path, pid: int, *lines: str) -> None:
    folder = home / FOLDER / "progress"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(pid)).write_text("".join(f"{line}\n" for line in lines))


def test_flows_of_the_dead_are_taken_over_by_others_or_go_on_with_a_successor(tmp_path: Path) -> None:
    notes(tmp_path, 1, "10.0 a reserve", "10.0 b taken_up", "10.5 c reserve", "10.6 c ship")
    notes(tmp_path, 2, "11.2 d reserve", "12.0 a taken_up", "12.5 b taken_up", "20.0 d ship", "20.0 e reserve")
    notes(tmp_path, 3, "27.0 e taken_up", "27.5 e ship")
    found = read_takeovers(tmp_path, [(11.0, (1,)), (21.0, (2,))])
    assert found.by_others == Waits(count=2, median_s=1.5, longest_s=1.5)
    assert found.by_successors == Waits(count=1, median_s=6.0, longest_s=6.0)


def test_taking_up_a_flow_is_one_thing_and_its_next_record_another(tmp_path: Path) -> None:
    notes(tmp_path, 1, "10.0 a reserve")
    notes(tmp_path, 2, "11.2 d reserve", "11.5 a taken_up", "15.0 a ship")
    found = read_takeovers(tmp_path, [(11.0, (1,))])
    assert found.by_others == Waits(count=1, median_s=0.5, longest_s=0.5)
    assert found.recorded == Waits(count=1, median_s=4.0, longest_s=4.0)


def test_a_flow_at_rest_waits_for_nobody(tmp_path: Path) -> None:
    notes(tmp_path, 1, "10.0 a taken_up", "10.1 a await_goods")
    notes(tmp_path, 2, "11.2 d reserve", "19.0 a~1 taken_up")
    assert read_takeovers(tmp_path, [(11.0, (1,))]).by_others.count == 0


def test_a_wait_in_which_somebody_else_died_is_nobodys(tmp_path: Path) -> None:
    notes(tmp_path, 1, "10.0 a reserve")
    notes(tmp_path, 2, "11.5 b reserve", "16.0 a taken_up")
    assert read_takeovers(tmp_path, [(11.0, (1,)), (12.0, (7,))]).by_others.count == 0


def test_nobody_died(tmp_path: Path) -> None:
    notes(tmp_path, 1, "10.0 a reserve")
    assert read_takeovers(tmp_path, []).by_others.count == 0
