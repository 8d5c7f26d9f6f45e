"""One return from the wish to the credit, in a process that kills itself at a named place the first time it gets there.

    python returns_server.py HOME PLACE

A place is ``before:operation`` or ``after:operation`` of a system of record. Everything is asked under the same
keys each time, so that whoever is started again on the same home goes on with the same return.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from governance.call import Clock, SystemClock
from tests.process_apis.returns.returns_world import BEARING, SERVICES, ask_back, came, say, seen, sell
from tests.process_apis.world import World, running

PORTS = ("erp", "payments", "notifications")


def kill_at(world: World, place: str, mark: Path) -> None:
    """Have the process kill itself around an operation, once."""
    when, _, operation = place.partition(":")
    for name in PORTS:
        port = getattr(world, name)
        if hasattr(port, operation):
            setattr(port, operation, _deadly(getattr(port, operation), when, mark))


def _deadly(method: Any, when: str, mark: Path) -> Any:
    async def call(*args: Any) -> Any:
        if mark.exists():
            return await method(*args)
        if when == "after":
            await method(*args)
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")

    return call


def main(home: Path, place: str) -> None:
    with running(home, "direct", SERVICES, extra={Clock: SystemClock()}) as world:
        kill_at(world, place, home / "killed")
        sale = sell(world, card=True)
        goods = seen(world, ask_back(world, sale.wish((BEARING, 3)), key="wish", wait_s=0), *AUTHORISED)
        say(world, goods["return_id"], "receive", came((BEARING, 3)), key="receipt")
        goods = seen(world, goods, *RECEIVED)
        verdict = {"lines": [{"sku": BEARING, "restocked": 2}]}
        say(world, goods["return_id"], "inspect", verdict, key="inspection")
        seen(world, goods, "closed")


RECEIVED = ("received", "inspected", "credited", "closed")
AUTHORISED = ("authorised", *RECEIVED)

if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
