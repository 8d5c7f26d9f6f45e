"""What a flow can't settle itself waits durably for people, and goes on as they decide, exactly once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from flow_story import Case, flow, step, telling
from msgspec.structs import replace

from governance.contract.refusals import SystemUnavailable
from process_apis.flow.run import Run
from process_apis.flow.table import PEOPLE, Retry
from process_apis.flow.tables import flows
from process_apis.flow.trouble import Settlement
from system_apis.canonical.refusals import WrongState


def refusal() -> WrongState:
    """What a system of record answers."""
    return WrongState(record_id="r-1", state="locked", needs="open", detail="The books are closed.")


def amended(case: Case, body: bytes) -> Case:
    """As many as the wish says."""
    return replace(case, quantity=int(body))


def renewed(case: Case, new_id: str, body: bytes) -> Case:
    """A corrected case."""
    return Case(case_id=new_id, quantity=int(body))


TABLE = flow(
    step("reserve", queue="stock"),
    step("ship", pivot=True),
    step("invoice", queue="invoices"),
    step("tell"),
    amend=amended,
)
ALL = {"reserve", "ship", "invoice", "tell"}
NEVER: dict[str, Any] = {"park_s": 3_600.0}
"""The flow does not ask again by itself while the test looks."""


def test_a_refusal_after_the_pivot_opens_an_exception_and_waits(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("invoice", refusal())
        story.when_accepted("c-1")
        case = story.expect("c-1", status="on_hold", exceptions=["invoice"], standing={"reserve", "ship"})
        assert (case.stage, case.problem, case.reason) == ("invoice", "wrong-state", "The books are closed.")
        story.expect_resting("c-1", "exception")
        one = story.exceptions("c-1")[0]
        assert (one.queue, one.kind, one.step, one.status, one.account_id, one.flow) == (
            "invoices", "refusal", "invoice", "open", "ACME", "case",
        )  # fmt: skip
        assert msgspec.json.decode(one.choices) == ["retry", "skip"]
        assert msgspec.json.decode(one.evidence)["attempts"] == 1
        assert one.due_us > one.opened_us


def test_retry_asks_the_step_again(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("invoice", refusal(), refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_settled("c-1", "retry")
        story.expect_resting("c-1", "exception", leg=2)
        assert [one.status for one in story.exceptions("c-1")] == ["settled", "open"]
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", stage="completed", status="accepted", standing=ALL, exceptions=[], reason="")
        assert ("invoice", "settled") in story.noted("c-1")


def test_skip_goes_on_without_the_step(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("invoice", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_settled("c-1", "skip")
        story.expect("c-1", stage="completed", standing=ALL - {"invoice"})
        assert ("invoice", "skipped") in story.noted("c-1")
        assert msgspec.json.decode(story.exceptions("c-1")[0].settlement)["by"] == "jo"


def test_after_the_pivot_nobody_can_cancel_or_amend(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("invoice", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert not story.when_settled("c-1", "cancel")
        assert not story.when_settled("c-1", "amend", b"2")
        assert not story.when_cancelled("c-1")
        story.expect("c-1", status="on_hold", exceptions=["invoice"], standing={"reserve", "ship"})


def test_it_is_settled_once_however_many_decide(home: Path) -> None:
    with telling(home, TABLE, **NEVER) as story:
        story.given("invoice", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        decisions = [Settlement(choice=choice, reason="", by="jo") for choice in ("retry", "skip") * 4]
        exception_id = story.exceptions("c-1")[0].exception_id

        async def all_at_once() -> list[bool]:
            return await asyncio.gather(*(story.flows.settle(exception_id, one) for one in decisions))

        assert sum(story.run(all_at_once())) == 1
        story.expect("c-1", stage="completed")
        assert story.ledger.asked.count("tell") == 1


def test_it_goes_on_by_itself_when_the_trouble_has_passed(home: Path) -> None:
    with telling(home, TABLE, park_s=0.05) as story:
        story.given("invoice", refusal(), refusal(), refusal())
        story.when_accepted("c-1")
        story.expect("c-1", stage="completed", status="accepted", standing=ALL, exceptions=[])
        assert [one.status for one in story.exceptions("c-1")] == ["closed"], "one exception, however often it asked"


def test_an_outage_that_lasts_is_for_people_too(home: Path) -> None:
    table = flow(step("reserve", queue="stock", retry=Retry(outage_s=600)), step("ship", pivot=True), amend=amended)
    with telling(home, table, patience_s=0.0, park_s=0.05) as story:
        story.given("reserve", *[SystemUnavailable(detail="away")] * 200)
        story.when_accepted("c-1")
        row = story.expect_resting("c-1", "due", leg=2)
        assert msgspec.json.decode(row.following)["attempts"] >= 2
        story.expect("c-1", status="accepted", exceptions=[])
        story.when_later(700)
        story.expect("c-1", status="on_hold", exceptions=["reserve"], problem="unavailable")
        one = story.exceptions("c-1")[0]
        assert (one.kind, one.queue, msgspec.json.decode(one.choices)) == (
            "outage", "stock", ["retry", "amend", "cancel"],
        )  # fmt: skip
        story.given("reserve")
        story.when_later(300)
        story.expect("c-1", stage="completed", status="accepted", exceptions=[])


@pytest.mark.parametrize("choice", ["cancel", "amend"])
def test_before_the_pivot_people_may_turn_it_back(home: Path, choice: str) -> None:
    table = flow(step("reserve"), step("check", retry=PEOPLE), step("ship", pivot=True), amend=amended)
    with telling(home, table) as story:
        story.given("check", refusal())
        story.when_accepted("c-1")
        story.expect("c-1", status="on_hold", exceptions=["check"], standing={"reserve"})
        assert msgspec.json.decode(story.exceptions("c-1")[0].choices) == ["retry", "skip", "amend", "cancel"]
        assert story.when_settled("c-1", choice, b"5")
        if choice == "cancel":
            story.expect("c-1", status="cancelled", reason="looked into", standing=set(), exceptions=[])
        else:
            story.expect("c-1", stage="completed", quantity=5, standing={"reserve", "check", "ship"}, exceptions=[])


def test_whoever_cancels_the_flow_closes_its_exception(home: Path) -> None:
    table = flow(step("reserve"), step("check", retry=PEOPLE), step("ship", pivot=True))
    with telling(home, table) as story:
        story.given("check", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_cancelled("c-1")
        story.expect("c-1", status="cancelled", standing=set(), exceptions=[])
        assert not story.when_settled("c-1", "retry"), (
            "compensation of a finished run is impossible, and so is its retry"
        )


def test_an_undo_that_is_refused_is_for_people(home: Path) -> None:
    table = flow(step("reserve"), step("post"), step("ship", pivot=True))
    with telling(home, table, **NEVER) as story:
        story.given("post", refusal())
        story.given("undo:reserve", refusal())
        story.when_accepted("c-1")
        story.expect("c-1", status="on_hold", exceptions=["undo:reserve"], standing={"reserve"})
        one = story.exceptions("c-1")[0]
        assert (one.kind, msgspec.json.decode(one.choices)) == ("undo", ["retry", "skip"])
        assert not story.when_settled("c-1", "cancel")
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", status="rejected", problem="wrong-state", standing=set(), exceptions=[])


def test_an_undo_that_was_done_by_hand_is_skipped(home: Path) -> None:
    table = flow(step("reserve"), step("post"), step("ship", pivot=True))
    with telling(home, table, **NEVER) as story:
        story.given("post", refusal())
        story.given("undo:reserve", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_settled("c-1", "skip")
        story.expect("c-1", status="rejected", standing={"reserve"}, exceptions=[])


def fault(run: Run[Case]) -> Case:
    """What a programming error looks like from outside."""
    raise KeyError(run.state.case_id)


@pytest.mark.expects_unexpected
def test_a_fault_before_the_pivot_has_everything_undone(home: Path) -> None:
    with telling(home, flow(step("reserve"), step("post", fault), step("ship", pivot=True))) as story:
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", problem="internal-error", standing=set())


@pytest.mark.expects_unexpected
def test_a_fault_after_the_pivot_is_for_people(home: Path) -> None:
    with telling(home, flow(step("reserve"), step("ship", pivot=True), step("invoice", fault))) as story:
        story.when_accepted("c-1")
        story.expect("c-1", status="on_hold", exceptions=["invoice"], standing={"reserve", "ship"})
        assert story.exceptions("c-1")[0].kind == "fault"
        assert story.row("c-1").due_us is None, "a fault does not pass by asking again"
        story.stop()
        story.start(flow(step("reserve"), step("ship", pivot=True), step("invoice")))
        assert story.when_settled("c-1", "retry")
        story.expect("c-1", stage="completed", standing={"reserve", "ship", "invoice"})


def bad_events(_: Any) -> Any:
    """Something that no log of events takes."""
    return ("no event",)


@pytest.mark.expects_unexpected
@pytest.mark.parametrize("place", ["post", "invoice"])
def test_a_checkpoint_that_can_not_be_written_loses_no_flow(home: Path, place: str) -> None:
    def row(name: str, **more: Any) -> Any:
        return step(name, publishes=bad_events if name == place else None, **more)

    with telling(home, flow(row("reserve"), row("post"), row("ship", pivot=True), row("invoice"))) as story:
        story.when_accepted("c-1")
        if place == "post":
            story.expect("c-1", status="rejected", problem="internal-error", standing=set())
        else:
            story.expect("c-1", status="on_hold", exceptions=["invoice"])


@pytest.mark.expects_unexpected
def test_a_fault_of_the_table_itself_is_undone(home: Path) -> None:
    def when(case: Case) -> bool:
        raise KeyError(case.case_id)

    with telling(home, flow(step("reserve"), step("post", when=when), step("ship", pivot=True))) as story:
        story.when_accepted("c-1")
        story.expect("c-1", status="rejected", standing=set())


@pytest.mark.parametrize("choice", ["cancel", "amend"])
def test_people_may_turn_it_back_at_the_pivot_itself(home: Path, choice: str) -> None:
    table = flow(step("reserve"), step("ship", pivot=True, retry=PEOPLE), step("tell"), amend=amended, renew=renewed)
    with telling(home, table) as story:
        story.given("ship", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.row("c-1").committed, "the gate was passed before"
        assert story.when_settled("c-1", choice, b"5")
        if choice == "cancel":
            story.expect("c-1", status="cancelled", standing=set(), exceptions=[])
            assert story.when_replayed("c-1", "reserve", dry_run=True).renews
        else:
            story.expect("c-1", stage="completed", quantity=5, standing={"reserve", "ship", "tell"})


def test_a_cancel_after_the_pivot_is_told_to_a_step_that_listens_to_it(home: Path) -> None:
    heard: list[bytes | None] = []

    def listens(run: Run[Case]) -> Case:
        heard.append(run.signal("cancel"))
        return run.state

    table = flow(step("ship", pivot=True), step("deliver", listens, listens=("cancel",)))
    with telling(home, table, **NEVER) as story:
        story.given("deliver", refusal())
        story.when_accepted("c-1")
        story.expect_resting("c-1", "exception")
        assert story.when_settled("c-1", "cancel")
        story.expect("c-1", stage="completed", standing={"ship", "deliver"}, exceptions=[])
        assert heard == [b"looked into"]


@pytest.mark.expects_unexpected
def test_a_leg_that_another_has_overtaken_writes_nothing(home: Path) -> None:
    table = flow(step("reserve"), step("post"), step("ship", pivot=True))
    with telling(home, table) as story:
        story.given_stop_at("post")
        story.when_accepted("c-1")
        story.when_held("c-1", "post")
        overtake = sa.update(flows).where(flows.c.flow_id == "c-1").values(leg=7)
        story.run(story.flows.write(lambda connection: connection.execute(overtake) and None))
        story.go_on("post")
        story.run(asyncio.sleep(0.3))
        story.expect("c-1", stage="post")
        assert (story.row("c-1").leg, story.row("c-1").ended) == (7, False)
