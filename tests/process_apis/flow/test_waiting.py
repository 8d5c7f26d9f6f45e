"""Steps that wait: for a signal, for a time; and flows that rest as rows meanwhile."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flow_story import Case, flow, step, telling
from msgspec.structs import replace

from process_apis.flow.run import Run
from process_apis.flow.table import NotYet


def approved(run: Run[Case]) -> Case:
    """The newest answer, once there is one."""
    if (body := run.signal("approval")) is None:
        raise NotYet
    return replace(run.state, answers=(*run.state.answers, body.decode()))


APPROVAL = flow(
    step("price", only_reads=True),
    step("reserve"),
    step("approve", approved, listens=("approval",)),
    step("ship", pivot=True),
)


def test_a_flow_rests_until_its_signal_comes(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        story.when_accepted("c-1")
        row = story.expect_resting("c-1", "due")
        assert (row.leg, row.outcome) == (1, "")
        assert story.when_signalled("c-1", "approval", b"yes")
        story.expect("c-1", status="accepted", stage="completed", answers=("yes",))
        row = story.row("c-1")
        assert (row.ended, row.outcome, row.resting, row.due_us) == (True, "completed", "", None)
        assert row.ended_us > row.started_us


def test_a_signal_may_come_before_its_flow_and_counts_once(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        assert story.when_signalled("c-1", "approval", b"no", source_id="a")
        assert story.when_signalled("c-1", "approval", b"yes", source_id="b")
        assert not story.when_signalled("c-1", "approval", b"yes", source_id="b")
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", answers=("yes",))
        assert story.row("c-1").leg == 0, "it had no reason to rest"


def test_a_signal_that_comes_while_the_step_looks_is_not_missed(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        story.given_stop_at("approve")
        story.when_accepted("c-1")
        story.when_reached("approve")
        assert story.when_signalled("c-1", "approval", b"yes")
        story.go_on("approve")
        story.expect("c-1", stage="completed", answers=("yes",))


def test_other_signals_wake_the_flow_but_are_not_its_answer(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        assert story.when_signalled("c-1", "weather", b"rain")
        story.expect_resting("c-1", "due", leg=2)
        assert story.when_signalled("c-1", "approval", b"yes", source_id="s-2")
        story.expect("c-1", stage="completed", answers=("yes",))


@pytest.mark.expects_unexpected
def test_a_step_reads_only_what_its_row_names(home: Path) -> None:
    nosy = flow(step("approve", approved), step("ship", pivot=True))
    with telling(home, nosy) as story:
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", problem="internal-error")


def test_a_time_that_comes_wakes_the_flow(home: Path) -> None:
    noon = datetime.now(UTC) + timedelta(hours=5)

    def on_time(run: Run[Case]) -> Case:
        if run.clock.now() < noon:
            raise NotYet(due_at=noon)
        return run.state

    with telling(home, flow(step("reserve"), step("wait", on_time), step("ship", pivot=True))) as story:
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        story.when_later(4 * 3_600)
        story.run(asyncio.sleep(0.1))  # several looks for what falls due
        assert story.row("c-1").leg == 1
        story.when_later(2 * 3_600)
        story.expect("c-1", stage="completed", standing={"reserve", "wait", "ship"})


def test_a_flow_at_rest_is_cancelled_at_once(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        assert story.when_cancelled("c-1")
        story.expect("c-1", status="cancelled", reason="not wanted", standing=set())
        assert not story.when_cancelled("c-1"), "a finished run is not undone again"
        assert story.row("c-1").outcome == "cancelled"


def test_a_flow_at_rest_goes_on_in_the_next_process(home: Path) -> None:
    with telling(home, APPROVAL) as story:
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        story.stop()
        story.start()
        assert story.when_signalled("c-1", "approval", b"yes")
        story.expect("c-1", stage="completed", answers=("yes",), standing={"reserve", "approve", "ship"})
