"""A gateway whose every call costs two milliseconds of its one core, and waits in between. Prints its port."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from gateway.serving.worker import InheritedListener
from gateway.settings import load_settings
from governance.bindings.edge import Edge
from governance.bindings.shedding import SheddingLimits
from governance.call import Exchange, Handler, Policy, Stage, SystemClock, Wrap
from governance.contract import Operation
from tests.governance.bindings.sample_gateway import LIMITS, assemble

COST_S = 0.001


class Busy(Policy):
    """Burns a millisecond before and one after a short wait."""

    name = "busy"
    stage = Stage.LIMIT

    def enforce(self, operation: Operation, binding: str) -> Wrap | None:
        def wrap(inner: Handler) -> Handler:
            async def spend(exchange: Exchange) -> Any:
                _burn()
                await asyncio.sleep(0.005)
                _burn()
                return await inner(exchange)

            return spend

        return wrap


def _burn() -> None:
    until = time.thread_time() + COST_S
    while time.thread_time() < until:
        pass


async def main(most_in_flight: int) -> None:
    edge = Edge(
        assemble(clock=SystemClock(), policies=(Busy(),)).routes,
        LIMITS,
        shedding=SheddingLimits(most_in_flight=most_in_flight),
    )
    await edge.shedding.start()

    async def application(
        scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] == "http":
            await edge(scope, receive, send)

    with tempfile.TemporaryDirectory() as home:
        settings = load_settings({"TIERGATE_HOME": home}, Path(home))
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.setblocking(False)
        os.write(1, b"%d\n" % listener.getsockname()[1])
        await InheritedListener(application, listener.detach(), settings).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
