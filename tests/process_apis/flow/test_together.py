"""Steps that are done at the same time, and what a step's own row says about time and unknown outcomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_story import Case, Ledger, flow, step, telling
from msgspec.structs import replace

from governance.call import current_call
from governance.contract.refusals import SystemUnavailable
from process_apis.flow.run import Run
from process_apis.flow.table import NotYet, Retry, Step, Together, merged
from system_apis.canonical.refusals import WrongState


def left(run: Run[Case]) -> Case:
    """One side's result."""
    return replace(run.state, left="l")


def right(run: Run[Case]) -> Case:
    """The other side's result."""
    return replace(run.state, right="r")


def pair(**more: Step[Case]) -> Together[Case]:
    """Two steps beside each other, each with its own result."""
    sides = {"east": step("east", left), "west": step("west", right), **more}
    return Together(*sides.values())


def test_both_are_under_way_at_once_and_their_results_are_merged(home: Path) -> None:
    with telling(home, flow(step("reserve"), pair(), step("ship", pivot=True))) as story:
        story.given_stop_at("east")
        story.given_stop_at("west")
        story.when_accepted("c-1")
        story.when_reached("east")
        story.when_reached("west")
        story.go_on("east")
        story.go_on("west")
        story.expect("c-1", stage="completed", left="l", right="r", standing={"reserve", "east", "west", "ship"})


def test_one_that_is_refused_has_the_other_undone_too(home: Path) -> None:
    with telling(home, flow(step("reserve"), pair(), step("ship", pivot=True))) as story:
        story.given("west", WrongState(record_id="r", state="locked", needs="open"))
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", standing=set())
        asked = [one for one in story.ledger.asked if one.startswith("undo")]
        assert asked == ["undo:west", "undo:east", "undo:reserve"], "in reverse order of the table"


def test_one_that_waits_lets_the_other_s_result_stand(home: Path) -> None:
    with telling(home, flow(pair(west=step("west", right, listens=("go",))), step("ship", pivot=True))) as story:
        story.given("west", NotYet())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        story.expect("c-1", left="l", right="", standing={"east"})
        assert story.when_signalled("c-1", "go", b"")
        story.expect("c-1", stage="completed", left="l", right="r", standing={"east", "west", "ship"})


def test_a_step_that_the_flow_does_not_have_is_left_out(home: Path) -> None:
    table = flow(pair(west=step("west", right, when=lambda case: case.quantity > 1)), step("ship", pivot=True))
    with telling(home, table) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", left="l", right="", standing={"east", "ship"})


@pytest.mark.expects_unexpected
def test_two_that_change_the_same_field_are_a_fault_and_undone(home: Path) -> None:
    with telling(home, flow(pair(west=step("west", lambda run: replace(run.state, left="w"))), step("ship", pivot=True))) as story:  # fmt: skip
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", problem="internal-error", standing=set())


def test_results_are_merged_by_the_fields_that_each_changed() -> None:
    before = Case(case_id="c", quantity=1)
    results = [("a", replace(before, left="l")), ("b", before), ("c", replace(before, right="r", quantity=2))]
    assert merged(before, results) == replace(before, left="l", right="r", quantity=2)
    with pytest.raises(ValueError, match="steps a and b both change left"):
        merged(before, [("a", replace(before, left="l")), ("b", replace(before, left="m"))])


def test_the_pivot_stands_alone() -> None:
    with pytest.raises(ValueError, match="the pivot stands alone"):
        flow(Together(step("ship", pivot=True), step("tell")))


def test_a_steps_own_time_is_the_deadline_of_its_calls(home: Path) -> None:
    left_s: list[float] = []

    def look(run: Run[Case]) -> Case:
        deadline = current_call().deadline
        assert deadline is not None
        left_s.append(deadline - run.clock.monotonic())
        with run.at("part"):
            inner = current_call().deadline
            assert inner is not None
            left_s.append(inner - run.clock.monotonic())
        return run.state

    with telling(home, flow(step("quick", look, timeout_s=2), step("ship", look, pivot=True))) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed")
    assert [round(seconds) for seconds in left_s] == [2, 2, 60, 60]


async def found(ledger: Ledger, run: Run[Case]) -> Case | None:
    """What became of the step whose answer was lost."""
    ledger.asked.append("look")
    return replace(run.state, left="found") if "post" in ledger.held.values() else None


def test_an_unknown_outcome_is_looked_up_before_it_is_repeated(home: Path) -> None:
    table = flow(step("post", left, retry=Retry(look_up=found)), step("ship", pivot=True))
    with telling(home, table) as story:
        story.given("answer:post", SystemUnavailable(detail="the answer was lost"))
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", left="found")
        assert story.ledger.asked == ["post", "answer:post", "look", "ship", "answer:ship"]


def test_what_is_not_found_is_done(home: Path) -> None:
    table = flow(step("post", left, retry=Retry(look_up=found)), step("ship", pivot=True))
    with telling(home, table) as story:
        story.given("post", SystemUnavailable(detail="away"))
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", left="l")
        assert story.ledger.asked == ["post", "look", "post", "answer:post", "ship", "answer:ship"]


def test_without_a_look_up_it_is_asked_again_under_its_key(home: Path) -> None:
    with telling(home, flow(step("post"), step("ship", pivot=True))) as story:
        story.given("answer:post", SystemUnavailable(detail="the answer was lost"))
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", standing={"post", "ship"})
        assert len(story.ledger.held) == 2
