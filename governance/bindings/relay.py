"""Streams over the remote binding: short ones, one after the other, that read as one without an end.

Another process ends a stream of a hop as soon as it has told something and has no more at hand, or
after ``HELD_S`` with nothing to tell. The next begins after the last item that came, so none is lost and none
comes twice; each has a hop token of its own, as every hop. So a stream through tiers needs of an
operation that it begins at the same place each time it is opened with the same arguments.

What the other process refuses at the opening is raised there. An outage later ends the stream with
``SystemUnavailable``; the client at the edge comes back with the last item that it has.

Standard: HTML Living Standard §9.2.6 (interpreting an event stream), as far as ``governance.bindings.streams`` writes one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import Any

import msgspec

from governance.bindings.execution import unexpected
from governance.call.exchange import Answer
from governance.contract.operation import Operation
from governance.contract.refusals import InternalError
from governance.contract.streaming import Stream

AT_ONCE_S = 0.05
HELD_S = 20.0
Ask = Callable[[str | None, float], Awaitable[Answer]]
"""From the last id and for how long it is held to one answer; what it raises ends the stream."""


async def relayed(operation: Operation, ask: Ask) -> Stream[Any]:
    """The stream that another process serves, opened.

    Raises:
        Problem: the other process refused it, or can't be reached.
    """
    decoder = msgspec.json.Decoder(operation.item)

    async def items(batch: list[Any]) -> AsyncGenerator[Any, None]:
        last: str | None = None
        while True:
            for item in batch:
                last = item.id
                yield item
            batch = _items(operation, decoder, await ask(last, HELD_S))

    return Stream(items(_items(operation, decoder, await ask(None, AT_ONCE_S))))


def _items(operation: Operation, decoder: msgspec.json.Decoder[Any], answer: Answer) -> list[Any]:
    try:
        return [decoder.decode(data) for data in _data(answer.body)]
    except (ValueError, RecursionError) as error:
        unexpected.error("%s streamed what its contract does not say", operation.id, exc_info=error)
        raise InternalError() from error


def _data(body: bytes) -> Iterator[bytes]:
    for event in body.split(b"\n\n"):
        for line in event.split(b"\n"):
            if line.startswith(b"data: "):
                yield line.removeprefix(b"data: ")
