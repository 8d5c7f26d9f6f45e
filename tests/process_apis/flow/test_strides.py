"""Strides: steps that get along share a checkpoint, and nothing is lost or left behind by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
import sqlalchemy as sa
from flow_story import Case, CaseBook, Story, flow, step, telling
from msgspec.structs import replace

from governance.contract.refusals import SystemUnavailable
from process_apis.events.event import NewEvent
from process_apis.events.tables import events
from process_apis.flow import stages
from process_apis.flow.table import NotYet
from system_apis.canonical.refusals import ReferenceTaken, WrongState

TABLE = flow(step("reserve"), step("post"), step("ship", pivot=True), step("invoice"), step("tell"))
EFFECTS = {"reserve", "post", "ship", "invoice", "tell"}
REFUSAL = WrongState(record_id="r", state="locked", needs="open")
TAKEN = ReferenceTaken(reference="r", record_id="other")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy cuts no stride short."""
    monkeypatch.setattr(stages, "LONGEST_STRIDE_S", 60.0)
    monkeypatch.setattr(stages, "LONG_S", 60.0)


def recorded(story: Story) -> list[str]:
    """The checkpoints that the engine has of a flow, by the group that each is named after."""
    query = sa.text("SELECT function_name FROM operation_outputs ORDER BY function_id")
    return list(story.run(story.flows.read(lambda connection: connection.execute(query).scalars().all())))


def asked(story: Story) -> list[str]:
    return [name for name in story.ledger.asked if ":" not in name]


def cut_off(story: Story, place: str) -> None:
    """A case is in the middle of a step when its process ends."""
    story.given_stop_at(place)
    story.when_accepted("c-1")
    story.when_reached(place)
    story.stop()
    del story.ledger.reached[place]


def test_a_flow_that_gets_along_writes_one_checkpoint_before_its_pivot_and_one_after(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", standing=EFFECTS)
        assert recorded(story) == ["reserve", "ship"]
        assert [name for name, _ in story.noted("c-1")] == ["accept", "completed"]


def test_a_refusal_is_asked_once_and_has_a_checkpoint_of_its_own(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("post", REFUSAL)
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", problem="wrong-state", standing=set())
        assert recorded(story) == ["reserve", "post", "undo"]
        assert asked(story) == ["reserve", "post"]


def test_an_attempt_that_fails_is_made_again_after_what_was_done_is_kept(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("post", SystemUnavailable(detail="away"))
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", standing=EFFECTS)
        assert recorded(story) == ["reserve", "post", "ship"]
        assert asked(story) == ["reserve", "post", "post", "ship", "invoice", "tell"]


def test_what_waits_for_the_world_outside_begins_with_a_checkpoint(home: Path) -> None:
    table = flow(step("reserve"), step("ship", pivot=True), step("wait", listens=("go",)), step("tell"))
    with telling(home, table) as story:
        story.given("wait", NotYet())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        assert recorded(story) == ["reserve", "ship", "wait"]
        story.when_signalled("c-1", "go", b"")
        story.expect("c-1", stage="completed")


def test_a_flow_that_only_waits_is_the_same_before_it_rests_and_after(home: Path) -> None:
    """Who read it in between can still say that it is what they saw."""
    table = flow(step("reserve"), step("ship", pivot=True), step("wait", listens=("go",)), step("tell"))
    with telling(home, replace(table, book=Watched())) as story:
        story.given("wait", NotYet())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "due")
        *_, shipped, resting = Watched.saved
        assert shipped.stage == "wait"
        assert resting == shipped


class Watched(CaseBook):
    """Remembers what was kept."""

    saved: ClassVar[list[Case]] = []

    def save(self, connection: sa.Connection, flow_id: str, state: Case) -> None:
        super().save(connection, flow_id, state)
        self.saved.append(state)


def test_a_step_that_takes_long_does_not_hide_what_is_done(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "LONG_S", 0.01)
    with telling(home, TABLE) as story:
        story.given_stop_at("invoice")
        story.when_accepted("c-1")
        story.when_reached("invoice")
        story.expect("c-1", stage="invoice", standing={"reserve", "post", "ship"})
        story.go_on("invoice")
        story.expect("c-1", stage="completed", standing=EFFECTS)
        assert asked(story).count("invoice") == 1, "the attempt under way goes on over the checkpoint"


@pytest.mark.parametrize("place", ["answer:reserve", "post", "answer:post", "answer:ship", "invoice", "answer:tell"])
def test_a_stride_that_a_crash_cut_off_is_walked_again(home: Path, place: str) -> None:
    with telling(home, TABLE, drain_s=0.0) as story:
        cut_off(story, place)
        story.start()
        story.expect("c-1", stage="completed", standing=EFFECTS)
        assert len(story.ledger.held) == len(EFFECTS), "each effect once, under its key"


def test_who_turns_back_after_a_crash_undoes_all_that_the_stride_reached(home: Path) -> None:
    """The first step is refused this time, and what a later one did before the crash is not recorded anywhere."""
    with telling(home, TABLE, drain_s=0.0) as story:
        cut_off(story, "answer:post")
        story.given("reserve", REFUSAL)
        story.start()
        story.expect("c-1", status="rejected", standing=set())


def test_it_undoes_a_step_that_applies_by_what_the_stride_found_out(home: Path) -> None:
    table = flow(
        step("reserve", lambda run: replace(run.state, quantity=7)),
        step("pay", when=lambda case: case.quantity == 7),
        step("post"),
        step("ship", pivot=True),
    )
    with telling(home, table, drain_s=0.0) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        assert "pay" in story.ledger.held.values()
        story.stop()
        del story.ledger.reached["post"]
        story.given("reserve", REFUSAL)
        story.start()
        story.expect("c-1", status="rejected", standing=set())


def test_it_undoes_them_also_when_it_turns_back_much_later(home: Path) -> None:
    with telling(home, TABLE, drain_s=0.0) as story:
        cut_off(story, "answer:post")
        story.given("reserve", NotYet(due_at=datetime.now(UTC) + timedelta(days=1)))
        story.start()
        story.expect_resting("c-1", "due")
        story.stop()
        story.start()
        assert story.when_cancelled("c-1")
        story.expect("c-1", status="cancelled", standing=set())


def test_what_a_step_was_told_is_kept_before_anything_follows_from_it(home: Path) -> None:
    """Or a flow that was told more meanwhile would take another way, when it is walked again, than it took."""
    table = flow(
        step("ship", pivot=True),
        step("wait", lambda run: replace(run.state, left=(run.signal("no") or b"").decode()), listens=("no",)),
        step("invoice", when=lambda case: not case.left),
        step("give_up", when=lambda case: bool(case.left)),
    )
    with telling(home, table, drain_s=0.0) as story:
        story.given_stop_at("answer:invoice")
        story.when_accepted("c-1")
        story.when_reached("answer:invoice")
        story.when_signalled("c-1", "no", b"no")
        story.stop()
        del story.ledger.reached["answer:invoice"]
        story.start()
        story.expect("c-1", stage="completed", standing={"ship", "wait", "invoice"})


def test_what_would_be_other_content_after_a_crash_is_undone_and_begun_anew(home: Path) -> None:
    """What a stride read is read again, and its effects may stand under their keys with what was read first."""
    with telling(home, TABLE, drain_s=0.0) as story:
        cut_off(story, "answer:post")
        story.given("post", TAKEN)
        story.start()
        story.expect("c-1", stage="completed", standing=EFFECTS)
        assert len(story.ledger.tombstones) == 2, "what stood under the first keys"
        assert ("post", "begun_anew") in story.noted("c-1")


def test_what_is_other_content_without_a_crash_is_a_refusal(home: Path) -> None:
    with telling(home, TABLE) as story:
        story.given("post", TAKEN)
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", problem="reference-taken", standing=set())


def news(case: Case) -> list[NewEvent]:
    return [
        NewEvent(type=f"case.{answer}", subject=case.case_id, data=case, source_id=answer) for answer in case.answers
    ]


def test_what_each_step_did_is_told_in_its_order_though_they_share_a_checkpoint(home: Path) -> None:
    table = flow(
        step("reserve", lambda run: replace(run.state, answers=("reserved",))),
        step("post", lambda run: replace(run.state, answers=("posted",))),
        step("ship", lambda run: replace(run.state, answers=("shipped",)), pivot=True),
        step("wait", lambda run: replace(run.state, answers=("left",)), listens=("go",)),
        news=news,
    )
    with telling(home, table) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed")
        assert recorded(story) == ["reserve", "ship"]
        told = sa.select(events.c.source_id).order_by(events.c.position)
        seen = story.run(story.flows.read(lambda connection: connection.execute(told).scalars().all()))
        assert list(seen) == ["reserved", "posted", "shipped", "left"]
