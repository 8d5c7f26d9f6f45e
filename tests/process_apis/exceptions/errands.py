"""A small process whose steps fail as a test says, with exceptions over it and nothing else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from governance.call import Accounts, Call, Principal
from governance.contract import NotFound
from process_apis.exceptions.v1.service import Exceptions
from process_apis.flow import FlowSettings
from process_apis.flow.run import Run
from process_apis.flow.signals import CANCEL
from process_apis.flow.table import PEOPLE, Flow, Refused, Step
from system_apis.canonical.refusals import WrongState
from system_apis.notifications.v1.service import Notifications
from tests.process_apis.world import World, principal

EXCEPTIONS = "/process/exceptions/v1"


class Errand(Struct, frozen=True, kw_only=True):
    """What the process knows."""

    errand_id: str
    account_id: str = "ACME"
    reference: str = "E-1"
    status: str = "accepted"
    stage: str = "accepted"
    wish: str = "tea"
    reason: str = ""


class Shelf:
    """Keeps errands in memory: what is tested here is not how a flow keeps its state."""

    def __init__(self) -> None:
        self.errands: dict[str, Errand] = {}

    def load(self, connection: sa.Connection, flow_id: str) -> Errand:
        if flow_id not in self.errands:
            raise NotFound()
        return self.errands[flow_id]

    def add(self, connection: sa.Connection, flow_id: str, state: Errand) -> None:
        self.errands[flow_id] = state

    save = add

    def mark(self, state: Errand, status: str | None, stage: str, at: datetime) -> Errand:
        return replace(state, status=status or state.status, stage=stage)

    def explain(self, state: Errand, why: Refused) -> Errand:
        return replace(state, reason=why.reason)


class Errands:
    """The steps; ``failing`` names those that are refused."""

    def __init__(self) -> None:
        self.failing: set[str] = set()
        self.of: dict[str, list[str]] = {}
        """What was done for each errand; those of earlier tests may still be under way."""
        self.sent = ""
        self.words = "The shop is closed."

    @property
    def done(self) -> list[str]:
        """What was done for the errand that was sent last."""
        return self.of.get(self.sent, [])

    def note(self, run: Run[Errand], what: str) -> None:
        self.of.setdefault(run.flow_id, []).append(what)

    async def _do(self, run: Run[Errand]) -> Errand:
        if run.step in self.failing:
            raise WrongState(record_id="shop", state="closed", needs="open", detail=self.words)
        self.note(run, run.step)
        return run.state

    async def fetch_money(self, run: Run[Errand]) -> Errand:
        return await self._do(run)

    async def return_money(self, run: Run[Errand]) -> bool:
        self.note(run, "returned")
        return True

    async def ask_price(self, run: Run[Errand]) -> Errand:
        return await self._do(run)

    async def buy(self, run: Run[Errand]) -> Errand:
        return await self._do(run)

    async def wrap(self, run: Run[Errand]) -> Errand:
        if wish := run.signal(CANCEL):
            self.note(run, "given up")
            return replace(run.state, wish="nothing", reason=wish.decode())
        return await self._do(run)

    async def bring(self, run: Run[Errand]) -> Errand:
        return await self._do(run)


def changed(state: Errand, body: bytes) -> Errand:
    return replace(state, wish=str(msgspec.json.decode(body)["wish"]))


def renewed(state: Errand, errand_id: str, body: bytes) -> Errand:
    anew = replace(state, errand_id=errand_id, status="accepted", stage="accepted", reason="")
    return changed(anew, body) if body else anew


def errand_flow(shelf: Shelf) -> Flow[Errand]:
    return Flow(
        name="errand",
        api_id="exceptions.v1",
        book=shelf,
        queue="orders",
        amend=changed,
        renew=renewed,
        steps=(
            Step(name="fetch_money", do=Errands.fetch_money, undo=Errands.return_money),
            Step(name="ask_price", do=Errands.ask_price, retry=PEOPLE, queue="credit"),
            Step(name="buy", do=Errands.buy, pivot=True, status="bought"),
            Step(name="wrap", do=Errands.wrap, listens=(CANCEL,), skippable=False),
            Step(name="bring", do=Errands.bring, queue="stock", status="completed"),
        ),
    )


class Town(World):
    """A world in which errands are run."""

    def __init__(self, home: Path, *services: type[Any], url: str = "", **flows: Any) -> None:
        settings = {FlowSettings: FlowSettings(home=home, database_url=url, **flows)}
        super().__init__(home, "verify", services or (Notifications, Exceptions), extra=settings)
        self.shelf, self.errands = Shelf(), Errands()
        self.flow = errand_flow(self.shelf)
        self.flows.register(self.flow, self.errands)
        self._sent = 0

    def send(self, *failing: str, account_id: str = "ACME") -> str:
        """Start an errand whose steps ``failing`` are refused; its id."""
        self._sent += 1
        errand_id = f"errand-{self._sent}"
        self.errands.failing, self.errands.sent = set(failing), errand_id
        first = Errand(errand_id=errand_id, account_id=account_id)
        call = Call(
            principal=Principal(subject="tester", client_id="tests", accounts=Accounts(reach="all")),
            operation_id="tests.v1.send",
        )
        self.run(self.flows.accept(self.flow, errand_id, account_id, errand_id, first, call))
        return errand_id

    def stuck(self, errand_id: str, step: str) -> Any:
        """The open exception of an errand, once it is there."""

        async def look() -> Any:
            answer = await self.client.get(
                f"{EXCEPTIONS}/exceptions", params={"flow_id": errand_id}, headers={"authorization": "Bearer platform"}
            )
            return [one for one in answer.json()["items"] if one["step"] == step]

        found = self.run(self.flows.until(errand_id, look, bool, 10))
        assert found, f"{errand_id} is not stuck at {step}: {self.shelf.errands[errand_id]}"
        return found[0]

    def ended(self, errand_id: str, status: str) -> None:
        """Wait until an errand has this status."""

        async def look() -> str:
            return self.shelf.errands[errand_id].status

        assert self.run(self.flows.until(errand_id, look, status.__eq__, 10)) == status

    def put(self, who: str, path: str, body: object, revision: int | str | None) -> httpx2.Response:
        """A PUT of a caller who saw this revision."""
        headers = {"authorization": f"Bearer {who}", "content-type": "application/json"}
        if revision is not None:
            headers["if-match"] = f'"{revision}"'
        content = msgspec.json.encode(body)
        return self.run(self.client.put(f"{EXCEPTIONS}{path}", headers=headers, content=content))

    def settle(self, exception: Any, choice: str, *, who: str = "platform", **more: Any) -> httpx2.Response:
        """Settle what was seen."""
        body = {"account_id": exception["account_id"], "choice": choice, "reason": "as agreed", **more}
        path = f"/exceptions/{exception['exception_id']}/settlement"
        return self.put(who, path, body, exception["revision"])


@contextmanager
def town(home: Path, url: str = "", **flows: Any) -> Generator[Town]:
    """A started town, with these settings of its flows."""
    world = Town(home, url=url, **flows)
    world.start()
    try:
        yield world
    finally:
        world.stop()


__all__ = ["EXCEPTIONS", "Town", "principal", "town"]
