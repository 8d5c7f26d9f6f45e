"""A result that goes on: items as they happen, without an end of their own.

An implementation opens it like any result, refusals included, and what it opened gives items from
then on. Whoever reads it ends it by closing it. Context such as the call under way belongs to the
opening: an item that comes later is made outside of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Other = TypeVar("Other")


class Stream(Generic[Item]):
    """Items as they happen. Each is a frozen Struct whose ``id`` says where a reader may go on after it."""

    def __init__(self, items: AsyncGenerator[Item, None], source: Stream[Any] | None = None) -> None:
        """``source`` is closed with it."""
        self._items = items
        self._source = source

    def __aiter__(self) -> AsyncIterator[Item]:
        return self._items

    def each(self, change: Callable[[Item], Awaitable[Other]]) -> Stream[Other]:
        """What ``change`` makes of each item; what it raises ends the stream."""

        async def changed() -> AsyncGenerator[Other, None]:
            async for item in self:
                yield await change(item)

        return Stream(changed(), self)

    async def close(self) -> None:
        """End it, and whatever it reads from."""
        await self._items.aclose()
        if self._source is not None:
            await self._source.close()
