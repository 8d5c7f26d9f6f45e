"""Flows that the workflow engine lets go of, by faults planted in its own tables: none stops without a word."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flow_story import Case, CaseBook, Story, cases, flow, step, telling
from msgspec.structs import replace

from governance.database import open_engine
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.flow.table import Flow, NotYet
from process_apis.flow.trouble import seen
from process_apis.flow.watchdog import Watchdog
from tests.journeys.gateways import eventually

pytestmark = pytest.mark.expects_unexpected
TABLE = flow(step("reserve"), step("post"), step("ship", pivot=True), step("invoice"))
EFFECTS = {"reserve", "post", "ship", "invoice"}
SOON: dict[str, Any] = {"watch_s": 0.05}
LEG = {"leg": "c-1"}


def by_hand(home: Path, *statements: str, leg: str = "c-1") -> None:
    """Change the engine's tables."""
    engine = open_engine(home, "", 1)
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(sa.text(statement), {"leg": leg}).rowcount == 1, statement
    engine.dispose()


def status_of(story: Story, leg: str) -> str:
    """What the engine calls a leg."""
    query = sa.text("SELECT status FROM workflow_status WHERE workflow_uuid = :leg")
    return str(story.run(story.flows.read(lambda connection: connection.execute(query, {"leg": leg}).scalar())))


def killed_at(home: Path, place: str, *statements: str) -> None:
    """A process whose flow is in the middle of a step when it ends, and what then happens to the engine's tables."""
    with telling(home, TABLE, drain_s=0.0, **SOON) as story:
        story.given_stop_at(place)
        story.when_accepted("c-1")
        story.when_held("c-1", place)
    by_hand(home, *statements)


def ended_as(status: str) -> str:
    return f"UPDATE workflow_status SET status = '{status}' WHERE workflow_uuid = :leg"


DELETED = (
    "DELETE FROM workflow_input WHERE workflow_uuid = :leg",
    "DELETE FROM workflow_status WHERE workflow_uuid = :leg",
)
UNREADABLE = "UPDATE workflow_input SET inputs = 'gone' WHERE workflow_uuid = :leg"
CLAIMED = "UPDATE workflow_status SET status = 'PENDING', executor_id = 'slot-0' WHERE workflow_uuid = :leg"
OTHER_STEP = (
    "INSERT INTO operation_outputs (workflow_uuid, function_id, function_name, retention_timestamp) "
    "VALUES (:leg, 3, 'another', 0)"
)


@pytest.mark.parametrize(
    ("status", "place"),
    [
        ("ERROR", "reserve"),
        ("ERROR", "ship"),
        ("ERROR", "invoice"),
        ("CANCELLED", "post"),
        ("MAX_RECOVERY_ATTEMPTS_EXCEEDED", "post"),
        ("SUCCESS", "post"),
    ],
)
def test_a_leg_that_the_engine_ended_goes_on_after_its_last_step(home: Path, status: str, place: str) -> None:
    killed_at(home, place, ended_as(status))
    with telling(home, TABLE, **SOON) as story:
        story.expect("c-1", stage="completed", exceptions=[])
        assert story.ledger.asked[0] == place, "what is recorded is not asked again"
        assert ("begun_again" in [outcome for _, outcome in story.noted("c-1")]) and story.row("c-1").leg == 1


def test_a_leg_that_meets_another_step_in_its_records_goes_on(home: Path) -> None:
    with telling(home, TABLE, **SOON) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_held("c-1", "post")
        by_hand(home, OTHER_STEP)
        story.go_on("post")
        story.expect("c-1", stage="completed", standing=EFFECTS, exceptions=[])
        assert status_of(story, "c-1") == "ERROR"


@pytest.mark.parametrize("fault", [DELETED, (UNREADABLE,)])
def test_a_leg_whose_arguments_are_gone_is_for_people(home: Path, fault: tuple[str, ...]) -> None:
    killed_at(home, "post", *fault)
    with telling(home, TABLE, **SOON) as story:
        story.expect("c-1", status="on_hold", exceptions=["post"], problem="internal-error")
        [told] = story.exceptions("c-1")
        evidence = seen(told.evidence)
        assert (told.kind, told.queue, evidence.stage, evidence.may_turn_back) == ("fault", "orders", "post", True)
        assert evidence.error.startswith("The workflow engine let go of it: ")
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", stage="completed", status="accepted", exceptions=[])


class Torn(CaseBook):
    """A book whose record can't be read while it is torn."""

    torn = True

    def load(self, connection: sa.Connection, flow_id: str) -> Case:
        document = connection.execute(sa.select(cases.c.document).where(cases.c.case_id == flow_id)).scalar_one()
        return msgspec.json.decode(document[:-1] if self.torn else document, type=Case)


def test_a_flow_whose_record_cant_be_read_is_for_people_after_a_second_try(home: Path) -> None:
    book = Torn()
    torn: Flow[Case] = replace(TABLE, book=book)
    with telling(home, torn, **SOON) as story:
        story.when_accepted("c-1")
        assert story.expect_resting("c-1", "exception").leg == 2
        [told] = story.exceptions("c-1")
        assert (told.kind, told.step, told.status) == ("fault", "reserve", "open")
        assert "ERROR, DecodeError: " in told.reason
        book.torn = False
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", stage="completed", standing=EFFECTS, exceptions=[])


def test_a_leg_that_was_claimed_and_never_begun_is_queued_again(home: Path) -> None:
    with telling(home, TABLE, **SOON) as story:
        accepting = FlowRuntime(FlowSettings(home=home, run=False), story.clock)
        accepting.register(TABLE, story.ledger)
        story.stop()
        story.flows = accepting
        story.run(accepting.start())
        story.when_accepted("c-1")
        by_hand(home, "UPDATE workflow_status SET queue_name = 'nobody' WHERE workflow_uuid = :leg")
        story.stop()
        story.start()
        by_hand(home, CLAIMED)
        story.expect("c-1", stage="completed", standing=EFFECTS, exceptions=[])


def test_a_leg_is_left_to_the_engine_while_that_takes_up_others_that_waited_as_long(home: Path) -> None:
    """After a start with much under way the engine gets to the last of it late."""
    legs = ("c-1", "c-2", "c-3")
    with telling(home, TABLE, watch_s=3_600.0) as story:
        story.stop()
        story.flows = FlowRuntime(FlowSettings(home=home, run=False), story.clock)
        story.flows.register(TABLE, story.ledger)
        story.run(story.flows.start())
        story.when_accepted(*legs)
        for leg in legs:
            by_hand(home, "UPDATE workflow_status SET queue_name = 'nobody' WHERE workflow_uuid = :leg", leg=leg)
        story.stop()
        story.start()
        watchdog: Watchdog = vars(story.flows)["_watchdog"]
        for leg in legs:
            by_hand(home, CLAIMED, leg=leg)

        def waiting_after_a_look() -> list[str]:
            story.run(watchdog.look())
            return [leg for leg in legs if status_of(story, leg) == "PENDING"]

        assert waiting_after_a_look() == ["c-1", "c-2", "c-3"]
        assert waiting_after_a_look() == ["c-1", "c-2", "c-3"]
        by_hand(home, ended_as("SUCCESS"), "DELETE FROM flows WHERE flow_id = :leg", leg="c-1")
        assert waiting_after_a_look() == ["c-2", "c-3"], "one of them was taken up"
        assert waiting_after_a_look() == []
        for leg in ("c-2", "c-3"):
            story.expect(leg, stage="completed", exceptions=[])


def test_a_flow_that_no_process_knows_is_for_people(home: Path) -> None:
    with telling(home, TABLE, drain_s=0.0, **SOON) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_reached("post")
        story.stop()
        del story.ledger.reached["post"]
        story.start(replace(TABLE, name="another"))
        story.expect_resting("c-1", "exception")
        [told] = story.exceptions("c-1")
        assert (told.queue, told.step, told.choices) == ("data_quality", "reserve", '["retry"]')
        assert told.reason == "No process of this kind runs here: case."
        story.stop()
        story.start(TABLE)
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", stage="completed", standing=EFFECTS, exceptions=[])


def test_a_checkpoint_that_the_engine_records_otherwise_is_written_beside_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, unexpected: list[logging.LogRecord]
) -> None:
    monkeypatch.setattr("process_apis.flow.checkpoint.RECORD_TABLE", "a table of another version")
    with telling(home, TABLE) as story:
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", standing=EFFECTS, exceptions=[])
        count = sa.text("SELECT count(*) FROM operation_outputs WHERE workflow_uuid = :leg")
        recorded = story.run(story.flows.read(lambda connection: connection.execute(count, LEG).scalar_one()))
        assert len(unexpected) == recorded >= 2, "it is told of each"


def test_no_number_of_recoveries_is_too_many(home: Path) -> None:
    killed_at(home, "post", "UPDATE workflow_status SET recovery_attempts = 100000 WHERE workflow_uuid = :leg")
    with telling(home, TABLE) as story:
        story.expect("c-1", stage="completed", exceptions=[])
        eventually("the engine is done with it", lambda: status_of(story, "c-1") == "SUCCESS")


def test_flows_that_are_carried_or_rest_are_left_alone(home: Path) -> None:
    table = flow(step("reserve"), step("wait", pivot=True, listens=("go",)), step("tell"))
    with telling(home, table, **SOON) as story:
        story.given("wait", NotYet())
        story.when_accepted("resting")
        story.expect_resting("resting", "due")
        story.given_stop_at("reserve")
        story.when_accepted("carried")
        story.when_reached("reserve")
        story.run(story.flows.until("", _nothing, bool, 0.5))
        assert (story.row("resting").leg, story.row("carried").leg) == (1, 0)
        story.go_on("reserve")
        story.when_signalled("resting", "go", b"")
        for case_id, legs in (("resting", 1), ("carried", 0)):
            story.expect(case_id, stage="completed")
            assert story.row(case_id).leg == legs


async def _nothing() -> bool:
    return False
