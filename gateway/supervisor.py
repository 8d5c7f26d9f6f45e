"""The supervisor behind ``tiergate serve``: the store, then the workers, and their end in reverse order.

Guarantees: what can't work is refused in one sentence before anything runs; the listening socket
outlives a crashed worker; SIGTERM, SIGINT or a closed terminal drains (not ready, requests finish, the engine stops,
the store last of all) within ``gateway.drain_s`` and a second signal ends it at once; no child
outlives this process, not even after kill -9. A store or a worker that dies is started again.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import IO, Protocol

import msgspec

from gateway.serving.fleet import Fleet
from gateway.serving.home import Home
from gateway.serving.listener import listen
from gateway.serving.readiness import until_ready
from gateway.serving.refusal import StartRefused
from gateway.settings import Settings

READY_WITHIN_S = 60.0
DRAIN_MARGIN_S = 10.0
"""On top of ``drain_s``: what the application's own parts may take to stop."""
APP = "gateway.app:create_app"


class Announcements(Protocol):
    """What the supervisor tells whoever started it."""

    def ready(self, settings: Settings, home: Home, took_s: float) -> None:
        """The gateway answers."""
        ...

    def worker_lost(self, how: str) -> None:
        """A worker ended by itself and is replaced."""
        ...

    def draining(self) -> None:
        """The gateway was told to stop."""
        ...

    def stopped(self) -> None:
        """Every child has ended."""
        ...


def serve(settings: Settings, environ: Mapping[str, str], tell: Announcements, app: str = APP) -> None:
    """Run the gateway until SIGTERM or SIGINT.

    Raises:
        StartRefused: it can't start, or can't go on.
    """
    started = time.monotonic()
    home = Home(settings.home)
    listener = listen(settings.gateway.host, settings.gateway.port)
    settings = msgspec.structs.replace(
        settings, gateway=msgspec.structs.replace(settings.gateway, port=listener.getsockname()[1])
    )
    home.enter()
    try:
        with listener, home.open_log() as log:
            to = None if settings.telemetry.log == "stderr" else log
            asyncio.run(_Supervision(settings, home, listener, environ, to, tell, app, started).run())
    finally:
        home.leave()
    tell.stopped()


class _Supervision:
    """One run, from the first child to the last."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        listener: socket.socket,
        environ: Mapping[str, str],
        log: IO[bytes] | None,
        tell: Announcements,
        app: str,
        started: float,
    ) -> None:
        self._settings = settings
        self._home = home
        self._listener = listener
        self._tell = tell
        self._started = started
        self._stop = asyncio.Event()
        self._fleet = Fleet(
            size=settings.gateway.workers,
            app=app,
            listener=listener,
            environ={**environ, **_as_variables(settings)},
            log=log,
            lost=tell.worker_lost,
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(signum, self._asked_to_stop)
        async with AsyncExitStack() as last:
            await self._start_store(last)
            await self._run_fleet()

    async def _start_store(self, last: AsyncExitStack) -> None:
        if self._settings.store.url:
            return
        from gateway.embedded.valkey import EmbeddedValkey, ValkeyFailed

        valkey = EmbeddedValkey(self._settings.home)
        try:
            await valkey.start()
        except ValkeyFailed as error:
            raise StartRefused(f"The gateway can't start: {error}.") from error
        last.push_async_callback(valkey.stop)

    async def _run_fleet(self) -> None:
        running = asyncio.create_task(self._fleet.run())
        ready = asyncio.create_task(until_ready(self._listener))
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({running, ready, stop}, timeout=READY_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if ready.done() and not stop.done():
                self._fleet.was_ready = True
                self._tell.ready(self._settings, self._home, time.monotonic() - self._started)
                await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
            elif not running.done() and not stop.done():
                raise StartRefused(
                    f"The gateway was not ready within {READY_WITHIN_S:.0f} s; see {self._home.log_file}."
                )
        finally:
            ready.cancel()
            stop.cancel()
            await self._drain(running)

    async def _drain(self, running: asyncio.Task[None]) -> None:
        self._fleet.stop()
        try:
            await asyncio.wait_for(asyncio.shield(running), self._settings.gateway.drain_s + DRAIN_MARGIN_S)
        except TimeoutError:
            self._fleet.kill()
            await running

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._fleet.kill()
        else:
            self._stop.set()
            self._tell.draining()


def _as_variables(settings: Settings) -> dict[str, str]:
    """The environment that makes a worker read these very settings."""
    gateway = settings.gateway
    variables = {
        "TIERGATE_HOME": str(settings.home),
        "TIERGATE_HOST": gateway.host,
        "TIERGATE_PORT": str(gateway.port),
        "TIERGATE_WORKERS": str(gateway.workers),
        "TIERGATE_TIERS": ",".join(gateway.tiers),
    }
    return variables | ({"TIERGATE_CONFIG": str(settings.config)} if settings.config else {})
