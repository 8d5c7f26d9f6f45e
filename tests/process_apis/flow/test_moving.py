"""Flows that begin under one table and end under another: the code changed while they were under way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flow_story import Story, flow, step, telling

from process_apis.flow.table import Flow
from system_apis.canonical.refusals import WrongState

OLD = flow(step("reserve"), step("post"), step("ship", pivot=True), step("invoice"))
MORE = flow(
    step("screen"),
    step("reserve"),
    step("check"),
    step("post"),
    step("pack"),
    step("ship", pivot=True),
    step("invoice"),
    step("tell"),
)
LESS = flow(step("post"), step("ship", pivot=True), step("tell"))


def left_at(story: Story, place: str) -> None:
    """A process that ends while the flow is in the middle of a step."""
    story.given_stop_at(place)
    story.when_accepted("c-1")
    story.when_held("c-1", place)
    story.stop()
    del story.ledger.reached[place]
    story.ledger.asked.clear()


def go_on(home: Path, place: str, table: Flow[Any]) -> tuple[Story, list[str]]:
    """Leave a flow there under the old table, and carry it to its end under the new one."""
    with telling(home, OLD, drain_s=0.0) as story:
        left_at(story, place)
        story.start(table)
        story.expect("c-1", stage="completed")
        return story, [one for one in story.ledger.asked if ":" not in one]


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        ("reserve", ["reserve", "check", "post", "pack", "ship", "invoice", "tell"]),
        ("post", ["check", "post", "pack", "ship", "invoice", "tell"]),
        ("ship", ["pack", "ship", "invoice", "tell"]),
        ("invoice", ["invoice", "tell"]),
    ],
)
def test_steps_put_in_are_done_from_where_the_flow_is(home: Path, place: str, asked: list[str]) -> None:
    assert go_on(home, place, MORE)[1] == asked


@pytest.mark.parametrize(
    ("place", "asked"), [("post", ["post", "ship", "tell"]), ("ship", ["ship", "tell"]), ("invoice", ["tell"])]
)
def test_steps_taken_out_are_left_out(home: Path, place: str, asked: list[str]) -> None:
    assert go_on(home, place, LESS)[1] == asked


def test_no_effect_is_made_twice_by_it(home: Path) -> None:
    story, _ = go_on(home, "ship", MORE)
    assert sorted(story.ledger.held.values()) == sorted(["reserve", "post", "pack", "ship", "invoice", "tell"])


def test_the_way_back_goes_on_under_the_new_table(home: Path) -> None:
    with telling(home, OLD, drain_s=0.0) as story:
        story.given("post", WrongState(record_id="r", state="locked", needs="open"))
        left_at(story, "undo:reserve")
        story.start(MORE)
        story.expect("c-1", status="rejected", problem="wrong-state", standing=set())


def test_a_flow_at_rest_at_a_step_that_is_gone_is_for_people(home: Path) -> None:
    with telling(home, OLD, park_s=3_600.0) as story:
        story.given("invoice", WrongState(record_id="r", state="locked", needs="open"))
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        story.stop()
        story.start(LESS)
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", status="on_hold", exceptions=["invoice"], problem="internal-error")
        assert story.when_replayed("c-1", "tell").allowed
        story.expect("c-1", stage="completed", status="accepted", exceptions=[])
