"""A worker process: one event loop that serves the application on the inherited listener.

Guarantees: it dies with its supervisor; SIGTERM marks the application as draining, lets requests
finish and only then stops the application's own parts; a start that fails is reported to the
supervisor as one sentence. Started as ``python -m gateway.serving.worker``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import logging
import signal
import sys
from collections.abc import Callable
from typing import Any, cast

import uvloop
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from gateway.serving.control import Examine, Report, WorkerLine
from gateway.serving.farewell import LINGER_S, Farewell, accept_no_more
from gateway.serving.lifespan import Application, Lifespan, LifespanFailed
from gateway.serving.logs import configure_logging
from gateway.serving.parent import die_with_parent
from gateway.settings import Settings, SettingsError

EXIT_CRASHED = 1
EXIT_REFUSED = 3
"""The application could not be built or started: trying again would end the same."""
BACKLOG = 1024
HEADER_BYTES = 65_536
"""Request line and headers together may have this size; a larger head is answered with 431."""
GC_THRESHOLDS = (50_000, 20, 100)
"""With everything built frozen, this took p99 from 33 to 6 ms."""


hold = cast("Callable[[int, bool, int], SocketHolder]", SocketHolder)
"""File descriptor, whether it is a Unix socket, backlog: granian's stub leaves them out."""


class InheritedListener(Server):
    """granian's server in this process's own event loop, on a socket that another process bound."""

    def __init__(self, application: Application, listener: int, settings: Settings) -> None:
        super().__init__(
            application,
            interface=Interfaces.ASGINL,  # the worker drives the lifespan
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            log_access=False,
            log_level=LogLevels.error,
            log_dictconfig={"loggers": {"_granian": {"handlers": [], "propagate": True}}},
            http1_settings=HTTP1Settings(
                header_read_timeout=int(settings.gateway.header_timeout_s * 1000), max_buffer_size=HEADER_BYTES
            ),
        )
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd = hold(self._listener, False, BACKLOG)


def main() -> int:
    """Serve until told to stop; the exit code says why it ended."""
    arguments = _arguments()
    gc.disable()  # nearly all that a start makes stays; looking through it again and again takes another tenth
    die_with_parent(arguments.parent)
    configure_logging()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the supervisor reloads
    line = WorkerLine(arguments.control)
    try:
        return uvloop.run(_serve(load_factory(arguments.app), arguments.listener, line.settings(), line))
    except (SettingsError, LifespanFailed, Refused) as error:
        logging.getLogger("gateway").exception("The gateway did not start.")
        line.report(Report(kind="refused", sentences=tuple(_sentence(error).splitlines())))
        return EXIT_REFUSED


class Refused(Exception):
    """The application could not be built."""


def load_factory(name: str) -> Callable[[Settings], Application]:
    """The application factory ``module:attribute``, which is called with the settings."""
    module, _, attribute = name.partition(":")

    def build(settings: Settings) -> Application:
        try:
            return getattr(importlib.import_module(module), attribute)(settings)
        except Exception as error:
            raise Refused from error

    return build


async def _serve(
    factory: Callable[[Settings], Application], listener: int, settings: Settings, line: WorkerLine
) -> int:
    application = factory(settings)
    lifespan = Lifespan(application)
    await lifespan.start()
    gc.freeze()  # with the megabyte that could be freed: finding it takes a tenth of the start
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
    farewell = Farewell(application)
    server = InheritedListener(farewell, listener, settings)
    draining = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, draining.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides
    serving = asyncio.ensure_future(server.serve())
    waiting = asyncio.ensure_future(draining.wait())

    def leave() -> None:
        farewell.leaving = True
        accept_no_more(listener)
        loop.call_later(LINGER_S, draining.set)

    obeying = asyncio.ensure_future(line.obey(_reload_of(application), leave))
    line.report(Report(kind="ready"))
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    mark_draining(application)
    obeying.cancel()
    if draining.is_set():
        server.stop()
    await serving
    await lifespan.stop()
    return 0 if draining.is_set() else EXIT_CRASHED


def mark_draining(application: object) -> None:
    """Tell a Litestar application to answer /readyz with 503, by ``state.draining``, and to end what goes on.

    What ends streams is ``state.end_streams``, which is called in the event loop that serves them.
    """
    state: Any = getattr(application, "state", None)
    if state is not None:
        state.draining = True
        getattr(state, "end_streams", _nothing)()


def _nothing() -> None:
    """What an application without streams ends."""


def _reload_of(application: object) -> Examine | None:
    """How a Litestar application takes new settings over, by ``state.reload``; None where it does not."""
    return getattr(getattr(application, "state", None), "reload", None)


def _sentence(error: BaseException) -> str:
    cause = error.__cause__ or error
    while len(members := getattr(cause, "exceptions", ())) == 1:  # a task group's wrapping
        cause = members[0]
    return str(cause).strip() or type(cause).__name__


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gateway.serving.worker")
    parser.add_argument("--app", required=True, help="application factory, module:attribute")
    parser.add_argument("--listener", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--control", type=int, required=True, help="file descriptor of the line to the supervisor")
    parser.add_argument("--parent", type=int, required=True, help="process id of the supervisor")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
