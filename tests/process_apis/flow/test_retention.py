"""What flows leave behind is forgotten in time, and what their guarantees need is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flow_story import Story, flow, step, telling

from governance.contract.refusals import IdempotencyKeyReused
from process_apis.flow.tables import flows, timeline
from tests.journeys.gateways import eventually

TABLE = flow(step("one"), step("two", pivot=True))
DAY_S = 86_400
WORKFLOWS = sa.table("workflow_status")


def counted(story: Story, what: Any, *where: Any) -> int:
    query = sa.select(sa.func.count()).select_from(what).where(*where)
    return story.run(story.flows.read(lambda connection: connection.execute(query).scalar_one()))


def comes_true(story: Story, holds: Callable[[], bool]) -> None:
    eventually("it is forgotten", holds)
    assert story.flows.running


def test_the_engines_rows_go_first_then_the_timeline_and_the_flow_stays(home: Path) -> None:
    with telling(home, TABLE, tidy_s=0.02, engine_days=7, timeline_days=400) as story:
        story.when_accepted("old")
        story.expect("old", stage="completed")
        story.when_later(8 * DAY_S)
        comes_true(story, lambda: counted(story, WORKFLOWS) == 0)
        assert counted(story, timeline, timeline.c.flow_id == "old") > 0
        story.when_later(400 * DAY_S)
        comes_true(story, lambda: counted(story, timeline, timeline.c.flow_id == "old") == 0)
        assert counted(story, flows, flows.c.flow_id == "old") == 1
        made = len(story.ledger.asked)
        story.when_accepted("old")  # its key still makes no second one
        assert (counted(story, WORKFLOWS), len(story.ledger.asked)) == (0, made)
        with pytest.raises(IdempotencyKeyReused):
            story.run(story.accept("old", fingerprint="another"))


def test_what_is_under_way_or_young_stays(home: Path) -> None:
    with telling(home, TABLE, tidy_s=0.02, engine_days=7, timeline_days=30) as story:
        story.given_stop_at("two")
        story.when_accepted("gone", "waits")
        story.when_reached("two")
        story.when_later(100 * DAY_S)
        story.go_on("two")
        story.expect("gone", stage="completed")
        story.expect("waits", stage="completed")
        assert counted(story, timeline, timeline.c.flow_id == "waits") > 0
