"""Processes that die in the middle of a write. ``python victims.py HOME SOCKET``, then a line of JSON for each victim.

For a line ``{"seed": 7, "effect": "cases", "point": "before the record"}`` a process is forked that serves that
one request and ends itself with SIGKILL at the named point; the exit status follows on stdout. The killing
is planted from outside: in front of the store client, behind the port, at the sending of the answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

sys.path.insert(0, str(Path(__file__).parents[3]))

from governance.policies.idempotency.claims import CLAIM, RECORD
from tests.governance.bindings.sample_gateway import ask
from tests.proof.idempotency.crm_world import World, body_of, crm_world

POINTS = (
    "before the claim",
    "after the claim",
    "after the effect",
    "before the record",
    "before the answer",
)


def die() -> NoReturn:
    """End as a crashed machine would: no clean-up runs."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def plant(world: World, effect: str, point: str) -> Callable[..., Awaitable[None]]:
    """The world's edge, with its death at ``point``."""
    store: Any = world.store
    crm: Any = world.crm
    run = store.run

    def before(script: object) -> Callable[..., Any]:
        return lambda given, *rest: die() if given is script else run(given, *rest)

    def after_claim(given: object, *rest: Any) -> Any:
        reply = run(given, *rest)
        return dying(reply) if given is CLAIM else reply

    if point == "before the claim":
        store.run = before(CLAIM)
    elif point == "after the claim":
        store.run = after_claim
    elif point == "before the record":
        store.run = before(RECORD)
    elif point == "after the effect":
        name = {"cases": "create_case", "contacts": "create_contact"}[effect]
        create = getattr(crm, name)

        @wraps(create)
        async def created(*arguments: Any) -> Any:
            return await dying(create(*arguments))

        setattr(crm, name, created)
    else:
        return answerless(world)
    return world.edge


async def dying(work: Awaitable[Any]) -> NoReturn:
    """Die as soon as ``work`` is done."""
    await work
    die()


def answerless(world: World) -> Callable[..., Awaitable[None]]:
    """An edge that dies when it has an answer to send."""

    async def serve(scope: Any, receive: Any, _: Any) -> None:
        async def send(message: Any) -> None:
            die()

        await world.edge(scope, receive, send)

    return serve


async def serve_one(home: Path, socket: str, seed: int, effect: str, point: str) -> None:
    """Serve one request up to its death."""
    async with crm_world(home, socket) as world:
        headers = {"Idempotency-Key": f"kill-{seed}"}
        target = f"/system/crm/v1/{effect}"
        await ask(plant(world, effect, point), "POST", target, body=body_of(effect, seed), headers=headers)


def main() -> None:
    """Fork a victim for each line of standard input, all at once; report when all have ended."""
    home, socket = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        victims: dict[int, int] = {}
        for order in json.loads(line):
            pid = os.fork()
            if pid == 0:
                asyncio.run(serve_one(home, socket, order["seed"], order["effect"], order["point"]))
                os._exit(0)
            victims[pid] = order["seed"]
        ended = {str(seed): os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid, seed in victims.items()}
        print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    main()
