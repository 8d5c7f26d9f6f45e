"""The life of a gateway's parts: started in order, stopped in reverse, each exactly once.

No part stops under a write that began, even one whose client has gone, unless it takes too long.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Protocol

from governance.bindings.served import finish_writes

WRITES_WITHIN_S = 5.0
"""Part of what the supervisor grants the parts to stop."""


class Part(Protocol):
    """Something that lives as long as the gateway."""

    async def start(self) -> Any:
        """Begin; what it raises stops the start."""
        ...

    async def stop(self) -> Any:
        """End."""
        ...


def lifetime(parts: Sequence[Part]) -> Callable[[object], AbstractAsyncContextManager[None]]:
    """A lifespan that starts ``parts`` in order and stops them in reverse, whatever happens in between."""

    @asynccontextmanager
    async def span(_: object) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for part in parts:
                await part.start()
                stack.push_async_callback(part.stop)
            yield
            await finish_writes(WRITES_WITHIN_S)

    return span
