"""One run from the first process to the verdict."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

from msgspec import Struct

from gateway.chaos.drive import WATCHER, Crowd, Pulse, Tale
from gateway.chaos.faults import counted
from gateway.chaos.fleet import Fleet, FleetFailed
from gateway.chaos.home import CLIENTS, configuration, put_goods
from gateway.chaos.kill_switch import deaths
from gateway.chaos.killing import Killing, Toll
from gateway.chaos.ledgers import Ledgers, read_ledgers
from gateway.chaos.own_state import read_own_state, read_timelines
from gateway.chaos.plan import FOLDER, OVER, FaultKind, Plan, write_plan
from gateway.chaos.postgresql import Given, Own, Server
from gateway.chaos.quotes import QuoteDesk, quote_wish
from gateway.chaos.returns_desk import ReturnsDesk, returns
from gateway.chaos.schedule import Run
from gateway.chaos.supplier import Supplier
from gateway.chaos.takeovers import Takeovers, read_takeovers
from gateway.chaos.twins import order_again
from gateway.chaos.verdict import Evidence, Finding, findings
from gateway.chaos.wishes import ORDERS, wish

OPEN_AT_ONCE = 80
"""So many orders are under way at most."""
SETTLE_S = 60.0
"""When the faults are over, every order ends within this time."""
AHEAD = 3
"""Orders wait for kills that should have come before them, apart from this many."""
PAGE = 200
RETURNS_END = ("closed", "rejected")


class Campaign(Struct, frozen=True, kw_only=True):
    """What was asked for."""

    run: Run
    failing: float = 0.0
    lost: float = 0.0
    slow: float = 0.05
    away: float = 0.02
    store: Literal["sqlite", "postgres"] = "sqlite"
    database_url: str = ""
    settle_s: float = SETTLE_S


class Result(Struct, frozen=True, kw_only=True):
    """What came of it."""

    campaign: Campaign
    took_s: float
    settled_s: float
    """From the end of the faults until the last order had ended."""
    orders_by_end: dict[str, int]
    faults: dict[FaultKind, int]
    toll: Toll
    takeovers: Takeovers
    pulse: Pulse
    restarts: int
    findings: tuple[Finding, ...]
    timelines: dict[str, tuple[str, ...]]


class Watch(Protocol):
    """Who is told how the run goes."""

    def stage(self, name: str) -> None:
        """A new stage begins."""
        ...

    def moved(self, pulse: Pulse, toll: Toll) -> None:
        """Orders were accepted or ended, or somebody died."""
        ...


async def carry_out(campaign: Campaign, watch: Watch, keep: Path | None = None) -> tuple[Result, Evidence]:
    """Run it, in ``keep`` or a folder that is removed afterwards: the result, and what it was judged by.

    Raises:
        FleetFailed: a gateway does not come up or does not stop.
        NoDatabase: there is no PostgreSQL.
    """
    with tempfile.TemporaryDirectory(prefix="tiergate-chaos-") as temporary:
        folder = keep or Path(temporary)
        folder.chmod(0o755)  # a database server that runs as a user of its own must get through
        async with _database(campaign, folder) as server:
            return await _Course(campaign, watch, folder, server).run()


class _Course:
    """A run under way."""

    def __init__(self, campaign: Campaign, watch: Watch, folder: Path, server: Server) -> None:
        self._campaign = campaign
        self._watch = watch
        self._server = server
        self._home = folder / "var"
        secret = secrets.token_urlsafe(24)
        config = folder / "tiergate.toml"
        config.write_text(configuration(server.url))
        config.chmod(0o600)
        self._fleet = Fleet(self._home, config, campaign.run.processes, {"CHAOS_SECRET": secret})
        self._crowd = Crowd([member.port for member in self._fleet.members], secret)
        self._tales: list[Tale] = []
        self._following: list[asyncio.Task[None]] = []
        self._desk = ReturnsDesk(self._crowd, campaign.run.seed)
        self._quotes = QuoteDesk(self._crowd)
        self._supplier = Supplier(self._crowd, self._tales)
        self._deadline = float("inf")

    async def run(self) -> tuple[Result, Evidence]:
        began = time.monotonic()
        campaign, run = self._campaign, self._campaign.run
        plan = Plan(
            seed=run.seed,
            failing=campaign.failing,
            lost=campaign.lost,
            slow=campaign.slow,
            away=campaign.away,
            began=time.time(),
        )
        write_plan(self._home, plan)
        over = self._home / FOLDER / OVER
        over.touch()
        people: list[asyncio.Task[None]] = []
        try:
            self._watch.stage("starting")
            await self._fleet.start()
            await self._crowd.enter(CLIENTS)
            await put_goods(self._crowd)
            before = read_ledgers(self._home)
            over.unlink()
            people = [asyncio.create_task(one.work()) for one in (self._desk, self._supplier)]
            killing = Killing(run, self._fleet, self._server, self._crowd.pulse)
            await self._drive(killing)
            over.touch()
            self._watch.stage("settling")
            began_to_settle = time.monotonic()
            await self._settle(killing.toll)
            sent_back = await self._all_back()
            settled_s = time.monotonic() - began_to_settle
            orders = await self._orders()
            codes = await self._fleet.stop()
        finally:
            for one in people:
                one.cancel()
            await asyncio.gather(*people, return_exceptions=True)
            await self._crowd.leave()
            await self._fleet.end()
        self._watch.stage("checking")
        return self._judged(began, settled_s, killing.toll, before, orders, sent_back, codes)

    async def _drive(self, killing: Killing) -> None:
        self._watch.stage("driving")
        room = asyncio.Semaphore(OPEN_AT_ONCE)
        run = self._campaign.run
        hunting = asyncio.create_task(killing.hunt())
        try:
            for number in range(run.orders):
                while killing.due(number - AHEAD * run.orders // max(1, run.kills)) and not hunting.done():
                    await asyncio.sleep(0.05)
                    self._watch.moved(self._crowd.pulse, killing.toll)
                await room.acquire()
                tale = Tale(wish=wish(run.seed, number, self._campaign.lost))
                self._tales.append(tale)
                self._following.append(asyncio.create_task(self._one(tale, room)))
                if (quote := quote_wish(run.seed, number)) is not None:
                    quoting = self._quotes.carry_through(quote, lambda: self._deadline)
                    self._following.append(asyncio.create_task(quoting))
                self._watch.moved(self._crowd.pulse, killing.toll)
            await hunting
        finally:
            hunting.cancel()
            await asyncio.gather(hunting, return_exceptions=True)

    async def _one(self, tale: Tale, room: asyncio.Semaphore) -> None:
        try:
            await self._crowd.fulfil(tale)
            if tale.order_ids:
                if tale.wish.manner == "again":
                    await order_again(self._crowd, tale)
                await self._crowd.follow(tale, lambda: self._deadline)
                if tale.twin_id:
                    await self._crowd.until_ended(f"{ORDERS}/{tale.twin_id}", lambda: self._deadline)
        finally:
            room.release()

    async def _settle(self, toll: Toll) -> None:
        self._deadline = time.monotonic() + self._campaign.settle_s
        await self._fleet.until_ready()
        for task in asyncio.as_completed(self._following):
            await task
            self._watch.moved(self._crowd.pulse, toll)

    async def _all_back(self) -> list[dict[str, Any]]:
        """The returns, once all are closed or time is up."""
        while True:
            found = await returns(self._crowd)
            if all(one["status"] in RETURNS_END for one in found) or time.monotonic() > self._deadline:
                return found
            await asyncio.sleep(0.3)

    async def _orders(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = await self._crowd.ask(WATCHER, "GET", f"{ORDERS}?limit={PAGE}{cursor}")
            if answer.status != 200:
                raise FleetFailed(f"The orders can't be listed: {answer.status} {answer.body.decode(errors='replace')}")
            page = answer.json()
            found += page["items"]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    def _judged(
        self,
        began: float,
        settled_s: float,
        toll: Toll,
        before: Ledgers,
        orders: list[dict[str, Any]],
        sent_back: list[dict[str, Any]],
        codes: list[int],
    ) -> tuple[Result, Evidence]:
        evidence = Evidence(
            tales=self._tales,
            orders=orders,
            before=before,
            after=read_ledgers(self._home),
            returns=sent_back,
            refused_returns=frozenset(self._desk.refused),
            supplied=self._supplier.supplied,
            quotes=self._quotes.tales,
            own=read_own_state(self._home, self._server.url),
            unexpected=self._fleet.unexpected(),
        )
        wrong = findings(evidence)
        wrong += [Finding("", f"a gateway ended with exit code {code}") for code in codes if code]
        wrong += [Finding("", sentence) for sentence in toll.trouble]
        concerned = sorted({one.order_id for one in wrong if one.order_id})
        ends: dict[str, int] = {}
        for order in orders:
            ends[order["status"]] = ends.get(order["status"], 0) + 1
        result = Result(
            campaign=self._campaign,
            took_s=time.monotonic() - began,
            settled_s=settled_s,
            orders_by_end=ends,
            faults=counted(self._home),
            toll=toll,
            takeovers=read_takeovers(self._home, [*toll.deaths, *((one.at, (one.pid,)) for one in deaths(self._home))]),
            pulse=self._crowd.pulse,
            restarts=sum(member.restarts for member in self._fleet.members),
            findings=tuple(wrong),
            timelines=read_timelines(self._home, self._server.url, concerned) if concerned else {},
        )
        return result, evidence


@asynccontextmanager
async def _database(campaign: Campaign, folder: Path) -> AsyncGenerator[Server]:
    own = campaign.store == "postgres" and not campaign.database_url
    server: Server = await (
        asyncio.to_thread(Own, folder / "postgresql") if own else asyncio.to_thread(Given, campaign.database_url)
    )
    try:
        yield server
    finally:
        await asyncio.to_thread(server.close)
