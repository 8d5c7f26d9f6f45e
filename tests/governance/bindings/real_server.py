"""The sample gateway behind the real server, as a worker runs it, but in a thread."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.serving.worker import InheritedListener
from gateway.settings import load_settings
from governance.call import SystemClock
from tests.governance.bindings.sample_apis import Shelves
from tests.governance.bindings.sample_gateway import assemble, edge_of, shelves_of

HEADER_TIMEOUT_S = 1


class RealServer:
    """A served sample world and how to reach it."""

    def __init__(self, port: int, shelves: Shelves, loop: asyncio.AbstractEventLoop) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.shelves = shelves
        self._loop = loop

    def run(self, call: Callable[[], None]) -> None:
        """Call something in the server's own event loop."""
        self._loop.call_soon_threadsafe(call)


@contextmanager
def serving() -> Iterator[RealServer]:
    assembly = assemble(clock=SystemClock())
    edge = edge_of(assembly)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await edge(scope, receive, send)

    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "tiergate.toml").write_text(f"[gateway]\nheader_timeout_s = {HEADER_TIMEOUT_S}\n")
        settings = load_settings({"TIERGATE_HOME": home}, Path(home))
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port: int = listener.getsockname()[1]
    server = InheritedListener(application, listener.detach(), settings)  # the server closes it
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(server.serve()), daemon=True)
    thread.start()
    yield RealServer(port, shelves_of(assembly), loop)
    loop.call_soon_threadsafe(server.stop)
    thread.join(10)
    loop.close()
