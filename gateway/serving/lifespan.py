"""The lifespan protocol of ASGI 3.0 (lifespan specification 2.0), driven from outside a server.

The worker drives it itself, because the order of a shutdown matters: requests finish first, the
application's own parts stop last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class LifespanFailed(Exception):
    """The application refused to start or to stop; the message is its own."""


class Lifespan:
    """One application's life: ``start`` before the first request, ``stop`` after the last."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Raises:
        LifespanFailed: the application said so, or raised.
        """
        scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._application(scope, self._inbox.get, self._outbox.put))
        await self._pass_through("startup")

    async def stop(self) -> None:
        """Raises:
        LifespanFailed: the application said so, or raised.
        """
        await self._pass_through("shutdown")

    async def _pass_through(self, phase: str) -> None:
        task = self._task
        if task is None:
            raise RuntimeError("stop() before start()")
        await self._inbox.put({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(self._outbox.get())
        await asyncio.wait({answer, task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            error = task.exception()
            raise LifespanFailed(f"the application ended during {phase}") from error
        message = answer.result()
        if message["type"] == f"lifespan.{phase}.failed":
            await asyncio.wait({task}, timeout=1.0)
            error = task.exception() if task.done() else None
            raise LifespanFailed(message.get("message", "")) from error
