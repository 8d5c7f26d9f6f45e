"""Flows done again: from a step, under their own id, or as a corrected run of one that was undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flow_story import Case, Story, flow, step, telling
from msgspec.structs import replace

from governance.contract import NotFound
from process_apis.events.event import NewEvent
from process_apis.events.tables import events
from process_apis.flow.table import PEOPLE
from system_apis.canonical.refusals import WrongState


def refusal() -> WrongState:
    """What a system of record answers."""
    return WrongState(record_id="r-1", state="locked", needs="open")


def renewed(case: Case, new_id: str, body: bytes) -> Case:
    """A first state for as many as the correction says."""
    return Case(case_id=new_id, quantity=int(body or str(case.quantity)))


def amended(case: Case, body: bytes) -> Case:
    """As many as the wish says."""
    return replace(case, quantity=int(body))


TABLE = flow(
    step("check", only_reads=True, retry=PEOPLE),
    step("reserve"),
    step("post"),
    step("ship", pivot=True),
    step("invoice", publishes=lambda case: (NewEvent(type="case.invoiced", subject=case.case_id, data=case),)),
    step("tell"),
    publishes=lambda case: (NewEvent(type=f"case.{case.stage}", subject=case.case_id, data=case),),
    amend=amended,
    renew=renewed,
)
NEVER: dict[str, Any] = {"park_s": 3_600.0}


def told(story: Story) -> list[str]:
    """Every event, in its order."""
    query = events.select().order_by(events.c.position)
    return [row.type for row in story.run(story.flows.read(lambda connection: connection.execute(query).all()))]


def test_a_completed_flow_is_replayed_forward_and_makes_nothing_twice(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed")
        held = dict(story.ledger.held)
        plan = story.when_replayed("c-1", "invoice", dry_run=True)
        assert (plan.allowed, plan.steps, plan.revision, plan.renews) == (True, ("invoice", "tell"), 0, False)
        assert story.ledger.asked.count("tell") == 1, "a dry run does nothing"
        assert story.when_replayed("c-1", "invoice").allowed
        story.expect("c-1", stage="completed")
        assert story.ledger.asked.count("tell") == 2
        assert story.ledger.held == held
        assert told(story) == ["case.invoiced", "case.completed"], "what was told is not told again"
        assert ("invoice", "replayed") in story.noted("c-1")


@pytest.mark.parametrize("name", ["check", "reserve", "ship"])
def test_a_finished_run_is_never_turned_back(home: Path, name: str) -> None:
    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed")
        plan = story.when_replayed("c-1", name)
        assert (plan.allowed, plan.steps) == (False, ())
        assert "pivot" in plan.why
        assert story.row("c-1").ended


def test_a_rejected_flow_is_replayed_from_the_beginning_with_new_effects(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("post", refusal())
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", standing=set())
        refused = story.when_replayed("c-1", "post")
        assert (refused.allowed, refused.why) == (
            False, "Everything was undone, and beginning there would leave out reserve.",
        )  # fmt: skip
        plan = story.when_replayed("c-1", "reserve")
        assert (plan.allowed, plan.revision, plan.renews) == (True, 1, True)
        story.expect(
            "c-1", stage="completed", status="accepted", standing={"reserve", "post", "ship", "invoice", "tell"}
        )
        assert told(story) == ["case.rejected", "case.invoiced", "case.completed"]


def test_a_flow_under_way_is_not_replayed(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert story.when_replayed("c-1", "reserve").why == "It is under way."
        story.go_on("post")
        story.expect("c-1", stage="completed")


def test_a_flow_that_people_have_to_see_to_is_replayed_from_further_up(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("tell", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_replayed("c-1", "invoice").allowed
        story.expect("c-1", stage="completed", status="accepted", exceptions=[])
        assert story.ledger.asked.count("invoice") == 2
        assert told(story) == ["case.invoiced", "exception.opened", "case.completed"]
        assert not story.when_settled("c-1", "retry")


def test_before_the_pivot_it_is_replayed_no_further_than_it_came(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("check", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_replayed("c-1", "post").why == "It has not come so far."
        assert story.when_replayed("c-1", "nowhere").why == "The flow has no step nowhere."
        assert story.when_replayed("c-1", "check").allowed
        story.expect("c-1", stage="completed", status="accepted")


def test_a_rerun_is_a_new_flow_that_names_the_old_one(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("post", refusal())
        story.when_accepted("c-1", quantity=100)
        story.expect("c-1", status="rejected")
        dry = story.when_rerun("c-1", "check", 3, dry_run=True)
        plan = story.when_rerun("c-1", "check", 3)
        assert dry == plan
        assert (plan.allowed, plan.revision) == (True, 0)
        assert plan.flow_id.startswith("c-")
        story.expect(plan.flow_id, stage="completed", quantity=3)
        assert story.row(plan.flow_id).parent_id == "c-1"
        assert story.when_rerun("c-1", "check", 3).flow_id == plan.flow_id, "asked again, it is the same one"
        story.expect("c-1", status="rejected")
        assert story.ledger.asked.count("ship") == 1


def test_what_stands_is_not_done_anew(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed")
        assert "undone" in story.when_rerun("c-1", "invoice", 3).why
        with pytest.raises(NotFound):
            story.when_replayed("c-2", "check")


def test_an_undone_flow_never_begins_behind_its_pivot(home: Path) -> None:
    """Also where no step before it has an undo: the pivot itself would be left out."""
    table = flow(step("check", only_reads=True), step("ship", pivot=True, undo=False), step("invoice"))
    with telling(home, table) as story:
        story.given("check", refusal())
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected")
        refused = story.when_replayed("c-1", "invoice", dry_run=True)
        assert (refused.allowed, "pivot" in refused.why) == (False, True)
        assert story.when_replayed("c-1", "ship", dry_run=True).allowed
