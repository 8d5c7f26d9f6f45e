"""Faults in front of connectors: calls fail before or after their effect, answers are lost, systems are away.

Only in a home that ``tiergate chaos`` made: the section ``[chaos]`` in tiergate.toml and the plan in
the home must both be there, and the gateway must listen on loopback over embedded systems. What a
caller sees is what a system that is away shows: ``SystemUnavailable``.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

from gateway.chaos.kill_switch import KillSwitch
from gateway.chaos.plan import FAULTS, FOLDER, OVER, Fault, FaultKind, Plan, read_plan
from governance.contract.refusals import SystemUnavailable

COUNTED_EVERY = 10
SURE = frozenset({"erp.put_stock"})
"""What people write down once and for all: nothing of Tiergate's repeats it, and coming late it would be wrong."""


class Faults:
    """The faults of one process, put in front of each of its connectors."""

    def __init__(self, home: Path, plan: Plan) -> None:
        self._plan = plan
        self._switch = KillSwitch(home)
        self._over = home / FOLDER / OVER
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._late: set[asyncio.Task[Any]] = set()
        self._counts = Counts(home / FOLDER / f"faults-{os.getpid()}")

    def around(self, system: str, connector: Any) -> Any:
        """``connector`` behind its faults."""
        methods: dict[str, Any] = {
            name: self._guarded(system, name, getattr(connector, name))
            for name, _ in inspect.getmembers(cast("Any", type(connector)), inspect.iscoroutinefunction)
            if not name.startswith("_") and name not in ("start", "stop")
        }
        return _Faulty(connector, methods, self)

    def start(self) -> None:
        """Arm the kill switch of this process."""
        self._switch.start()

    async def stop(self) -> None:
        """Let late effects come, and disarm."""
        await asyncio.gather(*self._late, return_exceptions=True)
        self._switch.stop()
        self._counts.keep()

    def _guarded(self, system: str, name: str, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        signature = inspect.signature(method)
        operation = f"{system}.{name}"

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self._over.exists() or operation in SURE:
                return await method(*args, **kwargs)
            given = signature.bind(*args, **kwargs).arguments
            key = str(given.get("reference") or repr(given))
            attempt = self._attempts[operation, key]
            self._attempts[operation, key] += 1
            fault = self._plan.fault(operation, key, attempt)
            if self._plan.is_away(system, time.time()):
                fault = Fault(kind="away")
            answer = await self._befall(operation, fault, lambda: method(*args, **kwargs))
            self._switch.reach(operation, "after")
            return answer

        return call

    async def _befall(self, operation: str, fault: Fault | None, effect: Callable[[], Awaitable[Any]]) -> Any:
        if fault is None:
            return await effect()
        self._counts.add(fault.kind)
        match fault.kind:
            case "away":
                raise _unavailable(operation)
            case "fails":
                await asyncio.sleep(fault.delay_s)
                raise _unavailable(operation)
            case "lost":
                await effect()
                raise _unavailable(operation)
            case "late":
                self._bring_later(effect, fault.delay_s)
                raise _unavailable(operation)
            case "slow":
                await asyncio.sleep(fault.delay_s)
                return await effect()

    def _bring_later(self, effect: Callable[[], Awaitable[Any]], delay_s: float) -> None:
        async def late() -> None:
            await asyncio.sleep(delay_s)
            await effect()

        task = asyncio.create_task(late())
        self._late.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for what a late effect came to, such as a tombstone that refused it


class Counts:
    """How many faults this process put in, by kind; kept in a file that outlives it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: Counter[FaultKind] = Counter()

    def add(self, kind: FaultKind) -> None:
        """Count one."""
        self._counts[kind] += 1
        if self._counts.total() % COUNTED_EVERY == 1:
            self.keep()

    def keep(self) -> None:
        """Write what was counted."""
        self._path.write_text(" ".join(str(self._counts[kind]) for kind in FAULTS))


def counted(home: Path) -> dict[FaultKind, int]:
    """At least how many faults the processes of this home put in, by kind."""
    total: Counter[FaultKind] = Counter()
    for file in (home / FOLDER).glob("faults-*"):
        for kind, count in zip(FAULTS, file.read_text().split(), strict=False):
            total[kind] += int(count)
    return {kind: total[kind] for kind in FAULTS}


class _Faulty:
    """A connector whose calls pass through faults; everything else is the connector's own."""

    def __init__(self, connector: Any, methods: dict[str, Any], faults: Faults) -> None:
        self.__dict__.update(methods)
        self._connector = connector
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def start(self) -> None:
        """Start the connector, then its faults."""
        await self._connector.start()
        self._faults.start()

    async def stop(self) -> None:
        """Stop both."""
        await self._faults.stop()
        await self._connector.stop()


def faults_of(home: Path) -> Faults:
    """The faults that the plan of this home asks for.

    Raises:
        ValueError: it has none: nobody made it a home of chaos.
    """
    plan = read_plan(home)
    if plan is None:
        raise ValueError(f"{home} is no home of chaos")
    return Faults(home, plan)


def _unavailable(operation: str) -> SystemUnavailable:
    return SystemUnavailable(detail=f"{operation} did not answer (chaos).")
