"""Flows and settlements whose process dies in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from dying import BEGUN, POISON, POISON_LATE, REFUSED
from flow_story import telling

from process_apis.flow.trouble import seen
from system_apis.canonical.refusals import WrongState

SCRIPT = Path(__file__).parent / "dying.py"
ROOT = Path(__file__).parents[3]
DIED = "The process died in this step again and again."


def ran(home: Path, what: str) -> int:
    """How one more process of this story ended."""
    with process(home, what) as begun:
        return begun.wait(timeout=40)


def process(home: Path, what: str) -> subprocess.Popen[str]:
    """One more process of this story."""
    command = [sys.executable, str(SCRIPT), str(home), what]
    return subprocess.Popen(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


def test_a_flow_that_kills_its_process_is_given_to_people_and_no_other_is(home: Path) -> None:
    exits = [ran(home, what) for what in ("accept", *["run"] * 6)]
    deaths = exits.index(0)
    assert deaths in (5, 6), "twice under way, once more where that was in a stride, twice on trial, then it rests"
    assert exits == [9] * deaths + [0] * (7 - deaths)
    with telling(home, POISON) as story:
        poisoned = story.exceptions("deadly")[0]
        assert (poisoned.kind, poisoned.step, poisoned.status) == ("poison", "poison", "open")
        assert msgspec.json.decode(poisoned.choices) == ["retry", "cancel"]
        evidence = seen(poisoned.evidence)
        assert (evidence.stage, evidence.error) == ("poison", DIED)
        assert ("poison", "on_hold") in story.noted("deadly")
        assert story.exceptions("innocent") == []
        assert story.when_settled("deadly", "cancel")
        story.expect("deadly", status="cancelled")


def test_behind_the_pivot_too_the_flow_rests_with_its_evidence_after_its_trials(home: Path) -> None:
    exits = [ran(home, what) for what in ("accept-late", *["run-late"] * 6)]
    deaths = exits.index(0)
    assert deaths in (5, 6), (
        "twice under way, once more where that was in a stride, three times on trial, then it rests"
    )
    assert exits == [9] * deaths + [0] * (7 - deaths)
    with telling(home, POISON_LATE) as story:
        [poisoned] = story.exceptions("deadly")
        assert (poisoned.kind, poisoned.queue, poisoned.step) == ("poison", "invoices", "poison")
        assert msgspec.json.decode(poisoned.choices) == ["retry", "skip"]
        evidence = seen(poisoned.evidence)
        assert (evidence.stage, evidence.error, evidence.committed, evidence.may_turn_back) == (
            "poison", DIED, True, False
        )  # fmt: skip
        story.expect("deadly", status="on_hold", problem="internal-error", reason=DIED)
        assert story.when_settled("deadly", "skip")
        story.expect("deadly", stage="completed", status="accepted", exceptions=[])
        assert story.exceptions("innocent") == []


def test_a_settlement_counts_once_though_its_process_is_killed(home: Path) -> None:
    ids = [f"c-{number:02}" for number in range(20)]
    with telling(home, REFUSED, park_s=3_600.0) as story:
        story.given("tell", *[WrongState(record_id="r", state="locked", needs="open")] * len(ids))
        for case_id in ids:
            story.when_accepted(case_id)
        for case_id in ids:
            story.expect_resting(case_id, "exception")
    with process(home, "settle") as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline().strip() == BEGUN
        time.sleep(0.05)  # a moment in the middle; where, does not matter
        killed.send_signal(signal.SIGKILL)
    assert ran(home, "settle") == 0
    with telling(home, REFUSED) as story:
        for case_id in ids:
            story.expect(case_id, stage="completed", exceptions=[])
            assert [one.status for one in story.exceptions(case_id)] == ["settled"]
            assert story.noted(case_id).count(("tell", "settled")) == 1
