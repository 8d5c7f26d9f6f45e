"""A small application for tests of the supervisor, run in worker processes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gateway.settings import Settings, SettingsError

Message = MutableMapping[str, Any]


class Probe:
    """Answers its process id; ``/plans`` the plans it knows; ``/die`` ends it, ``/slow`` answers after a while."""

    def __init__(self, settings: Settings) -> None:
        self.plans = plans_of(settings)
        self.state = SimpleNamespace(draining=False, reload=self.reload)

    def reload(self, settings: Settings) -> Callable[[], None]:
        """Take new plans over."""
        plans = plans_of(settings)
        return lambda: setattr(self, "plans", plans)

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["path"] == "/die":
            os._exit(9)
        if scope["path"] == "/slow":
            journal("slow began")
            await asyncio.sleep(0.7)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        words = f"{os.getpid()} {self.plans}" if scope["path"] == "/plans" else str(os.getpid())
        await send({"type": "http.response.body", "body": words.encode()})

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        journal("engine stopped, draining" if self.state.draining else "engine stopped")
        journal(f"store {'there' if store_is_there() else 'gone'}")
        await send({"type": "lifespan.shutdown.complete"})


def plans_of(settings: Settings) -> str:
    """The names of the plans; none may be called so that it can't be used."""
    if "unusable" in settings.plans:
        raise SettingsError([f"{settings.file_name}: plans.unusable can't be used."])
    return ",".join(settings.plans)


def journal(line: str) -> None:
    """Note what happened, for the test to read."""
    with Path(os.environ["TIERGATE_HOME"], "journal").open("a") as file:
        file.write(f"{line}\n")


def store_is_there() -> bool:
    """Whether the embedded store's process still runs."""
    pid = int(Path(os.environ["TIERGATE_HOME"], "valkey.pid").read_text())
    return Path(f"/proc/{pid}").exists()


def refuse(_: object) -> Probe:
    """A factory that refuses with a sentence."""
    raise TypeError("system_apis/tax/v1/contract.py: say who owns it.")


def crash(_: object) -> Probe:
    """A factory that ends its process."""
    os._exit(7)
