"""Flow tests read given / when / expect: a small flow over a ledger, in one folder, on a clock that can be moved.

    with telling(tmp_path, flow(step("reserve"), step("ship", pivot=True), step("invoice"))) as story:
        story.given("invoice", WrongState(...))         what the step meets, attempt by attempt; then it is done
        story.when_accepted("c-1")
        story.expect("c-1", status="on_hold", standing={"reserve", "ship"}, exceptions=["invoice"])

The runtime, the engine, the database and its checkpoints are the real ones. The ledger is what the
systems outside would hold: each effect once under its key, undone ones as tombstones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.call import Accounts, Call, Principal, SystemClock, child_key
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.flow.replaying import Replay
from process_apis.flow.run import Run
from process_apis.flow.table import Flow, Refused, Step, Together
from process_apis.flow.tables import exceptions, flows, timeline
from process_apis.flow.trouble import Settlement

Result = TypeVar("Result")
PATIENCE_S = 40
LOOK_S = 0.01
cases = sa.Table(
    "cases", sa.MetaData(), sa.Column("case_id", sa.String(80), primary_key=True), sa.Column("document", sa.Text)
)


class Case(Struct, frozen=True, kw_only=True):
    """What the small flow carries."""

    case_id: str
    status: str = "accepted"
    stage: str = "accepted"
    reason: str = ""
    problem: str = ""
    quantity: int = 1
    answers: tuple[str, ...] = ()
    left: str = ""
    right: str = ""
    updated_at: datetime | None = None


class CaseBook:
    """Cases in a table of the tests."""

    def load(self, connection: sa.Connection, flow_id: str) -> Case:
        document = connection.execute(sa.select(cases.c.document).where(cases.c.case_id == flow_id)).scalar_one()
        return msgspec.json.decode(document, type=Case)

    def add(self, connection: sa.Connection, flow_id: str, state: Case) -> None:
        connection.execute(sa.insert(cases).values(case_id=flow_id, document=_document(state)))

    def save(self, connection: sa.Connection, flow_id: str, state: Case) -> None:
        connection.execute(sa.update(cases).where(cases.c.case_id == flow_id).values(document=_document(state)))

    def mark(self, state: Case, status: str | None, stage: str, at: datetime) -> Case:
        state = replace(state, status=status or state.status, stage=stage, updated_at=at)
        return state if state.status in ("rejected", "cancelled", "on_hold") else replace(state, reason="", problem="")

    def explain(self, state: Case, why: Refused) -> Case:
        return replace(state, reason=why.reason, problem=why.problem)


def _document(state: Case) -> str:
    return msgspec.json.encode(state).decode()


class MovedClock(SystemClock):
    """The machine's time, moved ahead."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class Ledger:
    """What the systems outside hold: effects by key, and what each step will meet."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.tombstones: set[str] = set()
        self.asked: list[str] = []
        self.script: dict[str, list[Any]] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}

    async def meet(self, step: str) -> None:
        self.asked.append(step)
        if step in self.reached:
            self.reached[step].set()
            await self.gates[step].wait()
        if following := self.script.get(step):
            met = following.pop(0)
            if isinstance(met, BaseException):
                raise met

    def make(self, run: Run[Case], step: str) -> None:
        key = child_key(run.key, "ledger", step, run.revision)
        assert key not in self.tombstones, f"{step} came after its own undo"
        self.held[key] = step

    def take_back(self, run: Run[Case], step: str) -> bool:
        key = child_key(run.key, "ledger", step, run.revision)
        self.tombstones.add(key)
        return self.held.pop(key, None) is not None


def step(name: str, change: Callable[[Run[Case]], Case] | None = None, *, undo: bool = True, **more: Any) -> Step[Case]:
    """A step that meets what was given for it, then makes its effect; and its undo."""
    only_reads = bool(more.get("only_reads"))

    async def do(ledger: Ledger, run: Run[Case]) -> Case:
        await ledger.meet(name)
        state = run.state if change is None else change(run)
        if not only_reads:
            ledger.make(run, name)
            await ledger.meet(f"answer:{name}")
        return state

    async def take_back(ledger: Ledger, run: Run[Case]) -> bool:
        await ledger.meet(f"undo:{name}")
        return ledger.take_back(run, name)

    return Step(name=name, do=do, undo=take_back if undo and not only_reads else None, **more)


def flow(*steps: Step[Case] | Together[Case], **more: Any) -> Flow[Case]:
    """The small flow with these steps."""
    return Flow(name="case", api_id="case.v1", book=CaseBook(), steps=steps, **more)


class Story:
    """One process after another in one folder."""

    def __init__(self, home: Path, table: Flow[Case], settings: dict[str, Any], url: str) -> None:
        self.home = home
        self.clock = MovedClock()
        self.ledger = Ledger()
        self._settings = FlowSettings(home=home, database_url=url, **{"look_s": 0.02, "poll_s": 0.02, **settings})
        self._runner = asyncio.Runner()
        self._table = table
        self.flows = FlowRuntime(self._settings, self.clock)

    def start(self, table: Flow[Case] | None = None) -> None:
        """Begin a process with this table."""
        self._table = table or self._table
        self.flows = FlowRuntime(self._settings, self.clock)
        self.flows.register(self._table, self.ledger)
        self.run(self.flows.start())
        self.run(self.flows.write(cases.metadata.create_all))

    def stop(self) -> None:
        self.run(self.flows.stop())

    def close(self) -> None:
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine returns, on the story's own loop."""
        return self._runner.run(work)

    def given(self, step: str, *meets: Any) -> None:
        """What a step meets, attempt by attempt: exceptions, or None; ``answer:x`` and ``undo:x`` too."""
        self.ledger.script[step] = list(meets)

    def given_stop_at(self, step: str) -> None:
        """The step waits in the middle until ``go_on``."""
        self.ledger.gates[step], self.ledger.reached[step] = asyncio.Event(), asyncio.Event()

    def when_reached(self, step: str) -> None:
        self.run(asyncio.wait_for(self.ledger.reached[step].wait(), PATIENCE_S))

    def when_held(self, case_id: str, step: str) -> None:
        """The step is under way, and everything before it is recorded."""
        self.when_reached(step)
        if step != self._table.rows[0].name and ":" not in step:
            self.expect(case_id, stage=step)

    def go_on(self, step: str) -> None:
        self.ledger.gates[step].set()

    def when_accepted(self, *case_ids: str, quantity: int = 1, priority: int = 5) -> None:
        """These cases arrive, all at once."""

        async def accept_all() -> None:
            await asyncio.gather(*(self.accept(case_id, quantity, priority) for case_id in case_ids))

        self.run(accept_all())

    async def accept(
        self, case_id: str, quantity: int = 1, priority: int = 5, fingerprint: str = "fingerprint"
    ) -> None:
        principal = Principal(subject="tester", client_id="tests", accounts=Accounts(reach="all"))
        call = Call(principal=principal, operation_id="case.v1.open", idempotency_key=case_id)
        first = Case(case_id=case_id, quantity=quantity)
        await self.flows.accept(self._table, case_id, "ACME", fingerprint, first, call, priority=priority)

    def when_later(self, seconds: float) -> None:
        """The clock moves ahead."""
        self.clock.ahead_s += seconds

    def when_signalled(self, case_id: str, name: str, body: bytes, source_id: str = "s-1") -> bool:
        return self.run(self.flows.signal(case_id, name, body, source_id))

    def when_cancelled(self, case_id: str, reason: str = "not wanted") -> bool:
        return self.run(self.flows.cancel(case_id, reason))

    def when_amended(self, case_id: str, quantity: int, source_id: str = "") -> bool:
        return self.run(self.flows.amend(case_id, str(quantity).encode(), source_id))

    def when_settled(self, case_id: str, choice: Any, body: bytes = b"") -> bool:
        settlement = Settlement(choice=choice, reason="looked into", by="jo", body=body)
        return self.run(self.flows.settle(self.exceptions(case_id)[-1].exception_id, settlement))

    def when_replayed(self, case_id: str, step: str, *, dry_run: bool = False) -> Replay:
        return self.run(self.flows.replay(case_id, step, by="jo", reason="looked into", dry_run=dry_run))

    def when_rerun(
        self, case_id: str, step: str, quantity: int, source_id: str = "k", *, dry_run: bool = False
    ) -> Replay:
        body = str(quantity).encode()
        again = self.flows.rerun(case_id, step, body, source_id, by="jo", reason="corrected", dry_run=dry_run)
        return self.run(again)

    def expect(self, case_id: str, **wanted: Any) -> Case:
        """Wait until the case is as wanted: fields of its state, ``standing`` effects, open ``exceptions``."""
        return self.run(self._until(case_id, wanted))

    def expect_resting(self, case_id: str, resting: str, leg: int = 0) -> Any:
        """Wait until the flow rests so, before this leg or a later one; its row."""

        async def until() -> Any:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    row = await self.flows.read(lambda connection: _flow(connection, case_id))
                    if row.resting == resting and row.leg >= leg:
                        return row
                    await asyncio.sleep(LOOK_S)

        return self.run(until())

    def row(self, case_id: str) -> Any:
        """The flow's row."""
        return self.run(self.flows.read(lambda connection: _flow(connection, case_id)))

    def exceptions(self, case_id: str) -> Sequence[Any]:
        """The exceptions of a case, the oldest first."""
        query = sa.select(exceptions).where(exceptions.c.flow_id == case_id).order_by(exceptions.c.opened_us)
        return self.run(self.flows.read(lambda connection: connection.execute(query).all()))

    def noted(self, case_id: str) -> list[tuple[str, str]]:
        """Steps and outcomes on the timeline."""
        query = sa.select(timeline.c.step, timeline.c.outcome).where(timeline.c.flow_id == case_id)
        rows = self.run(self.flows.read(lambda c: c.execute(query.order_by(timeline.c.position)).all()))
        return [(row.step, row.outcome) for row in rows]

    async def _until(self, case_id: str, wanted: dict[str, Any]) -> Case:
        seen: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    case, seen = await self._seen(case_id, wanted)
                    if seen == wanted:
                        return case
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise AssertionError(f"{case_id} is {seen}, not {wanted}; last asked: {self.ledger.asked[-20:]}") from None

    async def _seen(self, case_id: str, wanted: dict[str, Any]) -> tuple[Case, dict[str, Any]]:
        case = await self.flows.read(lambda connection: CaseBook().load(connection, case_id))
        still_open = sa.select(exceptions.c.step).where(exceptions.c.flow_id == case_id, exceptions.c.status == "open")
        found: dict[str, Any] = {
            "standing": set(self.ledger.held.values()),
            "exceptions": list(await self.flows.read(lambda c: c.execute(still_open).scalars().all())),
        }
        return case, {name: found[name] if name in found else getattr(case, name) for name in wanted}


def _flow(connection: sa.Connection, case_id: str) -> Any:
    return connection.execute(sa.select(flows).where(flows.c.flow_id == case_id)).one()


@contextmanager
def telling(home: Path, table: Flow[Case], *, url: str = "", **settings: Any) -> Generator[Story]:
    """A started story."""
    story = Story(home, table, settings, url)
    story.start()
    try:
        yield story
    finally:
        story.stop()
        story.close()
