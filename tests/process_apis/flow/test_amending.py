"""A flow that is amended before its pivot: everything undone, then begun anew under a higher revision."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from flow_story import Case, flow, step, telling
from msgspec.structs import replace

from governance.contract.refusals import SystemUnavailable
from process_apis.flow.table import NotYet
from system_apis.canonical.refusals import WrongState


def amended(case: Case, body: bytes) -> Case:
    """As many as the wish says."""
    return replace(case, quantity=int(body))


TABLE = flow(step("reserve"), step("post"), step("ship", pivot=True), step("invoice"), amend=amended)


def test_an_amended_flow_undoes_everything_and_begins_anew(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        before = set(story.ledger.held)
        assert story.when_amended("c-1", 7)
        story.go_on("post")
        story.expect("c-1", stage="completed", quantity=7, standing={"reserve", "post", "ship", "invoice"})
        assert not before & set(story.ledger.held), "the effects have keys of the new revision"
        assert len(story.ledger.held) == 4
        row = story.row("c-1")
        assert (row.revision, row.amendments, row.amended) == (1, 1, 1)
        steps = [step for step, _ in story.noted("c-1")]
        assert steps[-2:] == ["amend", "completed"]


def test_wishes_are_followed_in_their_order_and_each_once(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.when_amended("c-1", 7, source_id="key-1")
        assert story.when_amended("c-1", 9, source_id="key-2")
        assert story.when_amended("c-1", 7, source_id="key-1"), "asked again, which changes nothing"
        story.go_on("post")
        story.expect("c-1", stage="completed", quantity=9)
        assert story.row("c-1").revision == 1


def test_a_flow_at_rest_is_amended_at_once(home: Path) -> None:
    table = flow(step("reserve"), step("approve", listens=("approval",)), step("ship", pivot=True), amend=amended)
    with telling(home, table) as story:
        story.given("approve", NotYet())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        assert story.when_amended("c-1", 3)
        story.expect("c-1", stage="completed", quantity=3)


def test_after_the_pivot_nothing_is_amended(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("ship")
        story.when_accepted("c-1")
        story.when_reached("ship")
        assert not story.when_amended("c-1", 7)
        assert not story.when_cancelled("c-1")
        story.go_on("ship")
        story.expect("c-1", stage="completed", quantity=1)
        assert not story.when_amended("c-1", 7)


def test_a_wish_and_the_pivot_never_both_win(home: Path) -> None:
    with telling(home, TABLE) as story:
        for number in range(12):
            case_id = f"c-{number}"
            story.when_accepted(case_id)
            story.run(_let_pass(number))
            won = story.when_amended(case_id, 7)
            story.expect(case_id, stage="completed", quantity=7 if won else 1)
            assert story.row(case_id).revision == int(won)
        assert len(story.ledger.held) == 12 * 4


async def _let_pass(number: int) -> None:
    await asyncio.sleep(0.004 * number)


def test_a_cancel_beats_a_wish_that_came_before(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.when_amended("c-1", 7)
        assert story.when_cancelled("c-1")
        assert not story.when_amended("c-1", 8)
        story.go_on("post")
        story.expect("c-1", status="cancelled", standing=set())


def test_a_cancel_while_the_way_back_is_under_way_ends_the_flow(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("undo:reserve")
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.when_amended("c-1", 7)
        story.go_on("post")
        story.when_reached("undo:reserve")
        assert story.when_cancelled("c-1")
        story.go_on("undo:reserve")
        story.expect("c-1", status="cancelled", standing=set())


def test_an_amended_flow_that_is_refused_then_ends_rejected(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.given("reserve", None, SystemUnavailable(), WrongState(record_id="r", state="none left", needs="stock"))
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.when_amended("c-1", 700)
        story.go_on("post")
        story.expect("c-1", status="rejected", problem="wrong-state", standing=set())


@pytest.mark.expects_unexpected
def test_a_wish_that_can_not_be_followed_is_for_people(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.run(story.flows.amend("c-1", b"many"))
        story.go_on("post")
        story.expect("c-1", status="on_hold", exceptions=["amend"], standing=set())
        assert story.when_settled("c-1", "skip")
        story.expect("c-1", stage="completed", quantity=1, exceptions=[])
