"""The supervisor behind ``tiergate serve``: the store, then the workers, and their end in reverse order.

Guarantees: what can't work is refused in one sentence before anything runs; the listening socket
outlives a crashed worker; SIGTERM or SIGINT drains (not ready, requests finish, the engine stops,
the store last of all) within ``gateway.drain_s`` and a second signal ends it at once; SIGHUP reloads
the settings and nothing else, so that a terminal that goes away takes no gateway with it; no child
outlives this process, not even after kill -9. A store or a worker that dies is started again. What
it makes is readable by its own user only.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

import msgspec

from gateway.serving.fleet import DRAIN_MARGIN_S, READY_WITHIN_S, Fleet
from gateway.serving.home import Home
from gateway.serving.listener import listen
from gateway.serving.logs import configure_logging
from gateway.serving.readiness import until_ready
from gateway.serving.refusal import StartRefused
from gateway.serving.reload import Reload, Reloads
from gateway.serving.worker_process import Launch
from gateway.settings import Settings
from gateway.settings.source import SettingsSource

PRIVATE_UMASK = 0o077
APP = "gateway.app:create_app"

logger = logging.getLogger("gateway.supervisor")


class Announcements(Reloads, Protocol):
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
    os.umask(PRIVATE_UMASK)
    home = Home(settings.home)
    listener = listen(settings.gateway.host, settings.gateway.port)
    source = SettingsSource(environ, Path.cwd(), settings, listener.getsockname()[1])
    settings = msgspec.structs.replace(
        settings, gateway=msgspec.structs.replace(settings.gateway, port=listener.getsockname()[1])
    )
    home.enter()
    try:
        with listener, home.open_log() as log:
            to = None if settings.telemetry.log == "stderr" else log
            launch = Launch(app=app, listener=listener, environ={**environ, **_as_variables(settings)}, log=to)
            configure_logging(to)
            asyncio.run(_Supervision(settings, home, launch, source, tell, started).run())
    finally:
        home.leave()
    tell.stopped()


class _Supervision:
    """One run, from the first child to the last."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        launch: Launch,
        source: SettingsSource,
        tell: Announcements,
        started: float,
    ) -> None:
        self._settings = settings
        self._home = home
        self._listener = launch.listener
        self._tell = tell
        self._started = started
        self._stop = asyncio.Event()
        self._fleet = Fleet(settings, launch, tell.worker_lost)
        self._reload = Reload(source, self._fleet, _Told(tell))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._asked_to_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.ask)
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
                reloads = asyncio.create_task(self._reload.run())
                await asyncio.wait({running, stop}, return_when=asyncio.FIRST_COMPLETED)
                reloads.cancel()
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
            async with asyncio.timeout(self._fleet.settings.gateway.drain_s + DRAIN_MARGIN_S):
                await asyncio.shield(running)
        except TimeoutError:
            self._fleet.kill()
            await running

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            self._fleet.kill()
        else:
            self._stop.set()
            self._tell.draining()


class _Told:
    """Reloads, to whoever started the gateway and to the log."""

    def __init__(self, tell: Announcements) -> None:
        self._tell = tell

    def reloaded(self, what: str) -> None:
        """New settings hold."""
        logger.info("Settings reloaded: %s.", what)
        self._tell.reloaded(what)

    def reload_refused(self, sentences: tuple[str, ...]) -> None:
        """The settings in force stay."""
        for sentence in sentences:
            logger.error("Settings not taken over, those in force stay: %s", sentence)
        self._tell.reload_refused(sentences)


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
