"""Carries out the kills of a run, one after another, each when so many orders were accepted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from msgspec import Struct

from gateway.chaos.drive import Pulse
from gateway.chaos.fleet import Fleet
from gateway.chaos.kill_switch import Arming, arm, deaths, disarm
from gateway.chaos.postgresql import Server
from gateway.chaos.schedule import Kill, Run, Stop, kills, stops

LOOK_S = 0.05
BREATH_S = 0.5
"""Between a recovery and the next kill."""
REACHED_WITHIN_S = 2.0
"""The next kill waits so long for a flow to reach an armed boundary."""
DATABASE_AWAY_S = 0.5
FEW = 3
"""So many gateways are enough to do without one: others die while the last that died starts."""
HELD_OVER_S = 2.5
"""How long after the database is back a process stays stopped that was stopped when it went."""


class Toll(Struct, kw_only=True):
    """Who died of a run."""

    kills: Counter[str] = Counter()
    not_reached: list[str] = []
    """Armed boundaries that no flow reached; a process was killed at any moment instead."""
    stopped: int = 0
    longest_stop_s: float = 0.0
    deaths: list[tuple[float, tuple[int, ...]]] = []
    """When, and which processes; those of the kill switch are in its own record."""
    trouble: list[str] = []


class Killing:
    """The kills and stops of one run."""

    def __init__(self, run: Run, fleet: Fleet, server: Server, pulse: Pulse) -> None:
        self._fleet = fleet
        self._server = server
        self._pulse = pulse
        self._orders = run.orders
        self._missing = int(run.processes >= FEW)
        self._waiting: list[Kill | Stop] = sorted([*kills(run), *stops(run)], key=lambda one: one.after_orders)
        self.toll = Toll()

    def due(self, placed: int) -> bool:
        """Whether something should have happened before so many orders were placed, and has not."""
        return bool(self._waiting) and self._waiting[0].after_orders <= placed

    async def hunt(self) -> None:
        """Carry out all of them."""
        while self._waiting:
            while self._pulse.placed < min(self._waiting[0].after_orders, self._orders):  # noqa: ASYNC110 - so rarely
                await asyncio.sleep(LOOK_S)
            await self._carry_out(self._waiting.pop(0))
            await self._fleet.until_ready(self._missing)
            await asyncio.sleep(BREATH_S)
        await self._fleet.until_ready()
        await self._make_up()

    async def _make_up(self) -> None:
        """Kill once for each boundary that is still armed."""
        for boundary in disarm(self._fleet.home):
            self.toll.not_reached.append(boundary)
            member = self._fleet.members[len(self.toll.not_reached) % len(self._fleet.members)]
            self._note(member.kill_worker())
            await self._fleet.until_ready()

    async def _carry_out(self, one: Kill | Stop) -> None:
        if isinstance(one, Stop):
            self.toll.stopped += 1
            self.toll.longest_stop_s = max(self.toll.longest_stop_s, one.seconds)
            await self._fleet.members[one.member].hold(one.seconds)
            return
        self.toll.kills[one.kind] += 1
        member = self._fleet.members[one.member]
        if one.kind in ("gateway", "worker"):
            await member.until_ready()  # who is dead can't be killed
        match one.kind:
            case "step":
                await self._at_step(one)
            case "gateway":
                self._note(member.kill())
            case "worker":
                self._note(member.kill_worker())
            case "store":
                self._fleet.kill_store()
            case "database":
                await self._database(one)

    async def _at_step(self, kill: Kill) -> None:
        """Arm the boundary; what no flow reaches soon stays armed beside the kills that follow."""
        home = self._fleet.home
        arm(home, kill.boundary, Arming(number=kill.number, victim=kill.victim))
        until = time.monotonic() + REACHED_WITHIN_S
        while time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
            if any(death.number == kill.number for death in deaths(home)):
                return

    async def _database(self, kill: Kill) -> None:
        """Every other time a process sleeps over it, and finds its place taken when it wakes."""
        sleeping = asyncio.create_task(asyncio.sleep(0))
        if kill.number % 2:
            self.toll.stopped += 1
            sleeping = asyncio.create_task(self._fleet.members[kill.member].hold(DATABASE_AWAY_S + HELD_OVER_S))
            await asyncio.sleep(LOOK_S)
        self._server.kill()
        await asyncio.sleep(DATABASE_AWAY_S)
        await self._server.restart()
        await sleeping

    def _note(self, pids: list[int]) -> None:
        self.toll.deaths.append((time.time(), tuple(pids)))
