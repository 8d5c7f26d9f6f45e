"""The worker processes: started, replaced when they crash, drained together.

A worker that ends by itself is replaced after a pause that doubles from ``PAUSE_S``; one that
ends within ``QUICK_S`` of its start counts as a quick crash, and after ``QUICK_CRASHES`` of them in
a row the fleet gives up. A worker that refuses to start before the gateway was ever ready is not tried again.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

from gateway.serving.refusal import StartRefused

QUICK_S = 10.0
QUICK_CRASHES = 5
PAUSE_S = 0.2
LONGEST_PAUSE_S = 5.0
EXIT_REFUSED = 3
REPORT_BYTES = 4096


class Fleet:
    """``size`` workers on one listening socket."""

    def __init__(
        self,
        *,
        size: int,
        app: str,
        listener: socket.socket,
        environ: Mapping[str, str],
        log: IO[bytes] | None,
        lost: Callable[[str], None],
    ) -> None:
        self._size = size
        self._app = app
        self._listener = listener
        self._environ = dict(environ)
        self._log = log
        self._lost = lost
        """Told how a worker ended that is about to be replaced."""
        self._processes: dict[int, Process] = {}
        self._stopping = asyncio.Event()
        self.was_ready = False

    async def run(self) -> None:
        """Keep every place filled until ``stop``; returns when every worker has ended.

        Raises:
            StartRefused: a worker refused to start, or kept crashing; the others were asked to drain.
        """
        places = [asyncio.create_task(self._keep(place), name=f"worker-{place + 1}") for place in range(self._size)]
        try:
            await asyncio.wait(places, return_when=asyncio.FIRST_EXCEPTION)
            self.stop()
            await asyncio.wait(places)
        finally:
            self.kill()
        for place in places:
            place.result()

    def stop(self) -> None:
        """Ask every worker to drain."""
        self._stopping.set()
        for process in self._running():
            process.terminate()

    def kill(self) -> None:
        """End every worker at once."""
        self._stopping.set()
        for process in self._running():
            process.kill()

    def _running(self) -> list[Process]:
        return [process for process in self._processes.values() if process.returncode is None]

    async def _keep(self, place: int) -> None:
        quick_crashes = 0
        while True:
            started = time.monotonic()
            code, said = await self._run_one(place)
            if self._stopping.is_set():
                return
            if said and not self.was_ready:
                raise StartRefused(said)
            quick_crashes = quick_crashes + 1 if time.monotonic() - started < QUICK_S else 1
            if quick_crashes >= QUICK_CRASHES:
                why, where = _ending(code, said), f"; see {self._log.name}" if self._log else ""
                raise StartRefused(
                    f"A worker ended {quick_crashes} times in a row right after its start ({why}){where}."
                )
            self._lost(_ending(code, said))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(PAUSE_S * 2 ** (quick_crashes - 1), LONGEST_PAUSE_S))
                return

    async def _run_one(self, place: int) -> tuple[int, str]:
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway.serving.worker",
                "--app", self._app,
                "--listener", str(self._listener.fileno()),
                "--report", str(writing),
                "--parent", str(os.getpid()),
                pass_fds=(self._listener.fileno(), writing),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                env=self._environ,
                start_new_session=True,  # Ctrl-C in the terminal reaches the supervisor only
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._processes[place] = process
        if self._stopping.is_set():  # told to stop while it was being started
            process.terminate()
        try:
            code = await process.wait()
            return code, os.read(reading, REPORT_BYTES).decode(errors="replace")
        finally:
            os.close(reading)


def _ending(code: int, said: str) -> str:
    if said:
        return said.splitlines()[-1]
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
