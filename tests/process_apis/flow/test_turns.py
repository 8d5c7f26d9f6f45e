"""Flows that must not overtake each other."""

from __future__ import annotations

from pathlib import Path

from flow_story import Case, flow, step, telling
from msgspec.structs import replace

from system_apis.canonical.refusals import WrongState


def customer(case: Case) -> str:
    """Everybody's cases are one customer's, but for those of 100."""
    return "" if case.quantity == 100 else "ACME"


TABLE = flow(
    step("reserve"),
    step("post"),
    step("ship", pivot=True),
    step("invoice"),
    in_turn=customer,
    amend=lambda case, body: replace(case, quantity=int(body)),
)


def test_one_begins_when_the_one_before_has_passed_its_pivot(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.given_stop_at("invoice")
        story.when_accepted("c-1")
        story.when_accepted("c-2")
        story.when_accepted("c-3", quantity=100)
        story.when_reached("post")
        story.expect_resting("c-2", "turn")
        story.expect("c-3", stage="post")
        assert story.row("c-2").leg == 0
        story.go_on("post")
        story.when_reached("invoice")
        story.expect("c-2", stage="invoice")
        story.go_on("invoice")
        for case_id in ("c-1", "c-2", "c-3"):
            story.expect(case_id, stage="completed")


def test_they_come_in_the_order_of_their_acceptance(home: Path) -> None:
    with telling(home, TABLE) as story:
        ids = [f"c-{number}" for number in range(6)]
        story.given_stop_at("reserve")
        for case_id in ids:
            story.when_accepted(case_id)
        story.given("post", None, WrongState(record_id="r", state="locked", needs="open"))
        story.go_on("reserve")
        for case_id in ids:
            story.expect(case_id, stage="rejected" if case_id == "c-1" else "completed")
        ended = [story.row(case_id).committed for case_id in ids]
        assert ended == [True, False, True, True, True, True]
        begun = [one for one in story.ledger.asked if one in ("reserve", "ship")]
        assert begun == ["reserve", "ship", "reserve", *["reserve", "ship"] * 4], "none begins before the last may ship"


def test_one_that_waits_for_its_turn_can_be_cancelled_and_amended(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("reserve")
        for case_id in ("c-1", "c-2", "c-3"):
            story.when_accepted(case_id)
        story.expect_resting("c-3", "turn")
        assert story.when_amended("c-3", 3)
        assert story.when_cancelled("c-2")
        story.expect("c-2", status="cancelled")
        story.expect_resting("c-3", "turn")
        story.go_on("reserve")
        story.expect("c-1", stage="completed")
        story.expect("c-3", stage="completed", quantity=3)
