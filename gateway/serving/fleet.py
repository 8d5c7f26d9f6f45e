"""The worker processes: started, replaced when they crash or settings change, drained together.

A worker that ends by itself is replaced after a pause that doubles from ``PAUSE_S``; one that
ends within ``QUICK_S`` of its start counts as a quick crash, and after ``QUICK_CRASHES`` of them in
a row the fleet gives up. A worker that refuses to start before the gateway was ever ready is not tried again.

Every worker starts with the settings in force, whatever stands in the file at that moment. New ones
hold in all workers or in none: they are examined first, by a worker that serves already or by one
that starts with them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from gateway.serving.farewell import LINGER_S
from gateway.serving.refusal import StartRefused
from gateway.serving.worker_process import Launch, WorkerGone, WorkerProcess
from gateway.settings import Settings, SettingsError

QUICK_S = 10.0
QUICK_CRASHES = 5
PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
READY_WITHIN_S = 60.0
DRAIN_MARGIN_S = 10.0
"""On top of ``drain_s``: what the application's own parts may take to stop."""


class Fleet:
    """As many workers as ``settings`` says, on one listening socket."""

    def __init__(self, settings: Settings, launch: Launch, lost: Callable[[str], None]) -> None:
        self.settings = settings
        """Those in force."""
        self.was_ready = False
        self._launch = launch
        self._lost = lost
        """Told how a worker ended that is about to be replaced."""
        self._places: dict[int, WorkerProcess] = {}
        self._successors: dict[int, WorkerProcess] = {}
        self._workers: set[WorkerProcess] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Keep every place filled until ``stop``; returns when every worker has ended.

        Raises:
            StartRefused: a worker refused to start, or kept crashing; the others were asked to drain.
        """
        numbers = range(self.settings.gateway.workers)
        places = [asyncio.create_task(self._keep(place), name=f"worker-{place + 1}") for place in numbers]
        try:
            await asyncio.wait(places, return_when=asyncio.FIRST_EXCEPTION)
            self.stop()
            await asyncio.wait(places)
        finally:
            self.kill()
        await asyncio.gather(*[worker.ended() for worker in self._workers])
        for place in places:
            place.result()

    def stop(self) -> None:
        """Ask every worker to drain."""
        self._stopping.set()
        for worker in self._workers:
            worker.drain()

    def kill(self) -> None:
        """End every worker at once."""
        self._stopping.set()
        for worker in self._workers:
            worker.kill()

    async def apply(self, settings: Settings) -> None:
        """Let ``settings`` hold in every worker as they run; those that differ in nothing that needs a new worker.

        Raises:
            SettingsError: they can't be used; nothing has changed.
        """
        sentences = await self._examined(settings)
        if sentences:
            raise SettingsError(sentences)
        self.settings = settings  # before anything is awaited: a worker that starts from here on starts with them
        await asyncio.gather(*[self._told(worker, settings) for worker in self._workers])

    async def replace(self, settings: Settings) -> None:
        """Put a new worker with ``settings`` in every place, one after another; the old one drains when it is ready.

        Raises:
            SettingsError: the first new worker does not start with them; nothing has changed.
        """
        for place in sorted(self._places):
            successor = await self._start(settings)
            if await self._ready(successor):
                self._successors[place] = successor
            elif self.settings is not settings:
                code, said = await successor.ended()
                raise SettingsError(
                    (said or f"A worker does not start with them ({_ending(code, said)}).").splitlines()
                )
            self.settings = settings
            old = self._places[place]
            old.leave(settings)
            await self._ends(old)

    async def _examined(self, settings: Settings) -> tuple[str, ...]:
        for worker in list(self._workers):
            with suppress(WorkerGone):
                if await worker.settled():
                    return await worker.ask("examine", settings)
        return ("No worker can examine them now; the gateway tries again when they are touched.",)

    async def _told(self, worker: WorkerProcess, settings: Settings) -> None:
        try:
            if not await worker.settled() or not await worker.ask("apply", settings):
                return
        except WorkerGone:
            pass
        worker.drain()  # its place is filled by one that starts with them

    async def _ready(self, worker: WorkerProcess) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN_S):
                return await worker.settled()
        worker.kill()
        return False

    async def _ends(self, worker: WorkerProcess) -> None:
        try:
            async with asyncio.timeout(LINGER_S + self.settings.gateway.drain_s + DRAIN_MARGIN_S):
                await worker.ended()
        except TimeoutError:
            worker.kill()

    async def _start(self, settings: Settings) -> WorkerProcess:
        worker = await WorkerProcess.start(self._launch, settings)
        self._workers.add(worker)
        if self._stopping.is_set():  # told to stop while it was being started
            worker.drain()
        return worker

    async def _keep(self, place: int) -> None:
        quick_crashes = 0
        while not self._stopping.is_set():
            self._places[place] = self._successors.pop(place, None) or await self._start(self.settings)
            started = time.monotonic()
            code, said = await self._last_of(place)
            if self._stopping.is_set():
                return
            if said and not self.was_ready:
                raise StartRefused(said)
            quick_crashes = quick_crashes + 1 if time.monotonic() - started < QUICK_S else 1
            if quick_crashes >= QUICK_CRASHES:
                why, where = _ending(code, said), f"; see {self._launch.log.name}" if self._launch.log else ""
                raise StartRefused(
                    f"A worker ended {quick_crashes} times in a row right after its start ({why}){where}."
                )
            self._lost(_ending(code, said))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(PAUSE_S * 2 ** (quick_crashes - 1), LONGEST_PAUSE_S)):
                    await self._stopping.wait()

    async def _last_of(self, place: int) -> tuple[int, str]:
        """Wait for the end of the worker in this place and of those that were put in its stead."""
        while True:
            worker = self._places[place]
            ending = await worker.ended()
            self._workers.discard(worker)
            if place not in self._successors:
                return ending
            self._places[place] = self._successors.pop(place)


def _ending(code: int, said: str) -> str:
    if said:
        return said.splitlines()[-1]
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
