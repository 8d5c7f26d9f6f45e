"""The line between supervisor and worker: settings go down, short reports come up.

A pair of connected sockets that the worker inherits, so nobody else can speak on it and secrets on
their way to a worker touch no disk. A frame is its length (four bytes, big endian), then its body:
downwards a pickled ``Order`` (from the parent that started this process, and from nobody else),
upwards a ``Report`` as JSON. When either end closes, the other reads end-of-file.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from gateway.settings import Settings, SettingsError

LENGTH_BYTES = 4
Examine = Callable[[Settings], Callable[[], None]]
"""Judges settings, raising ``SettingsError``; what it returns makes them hold."""


class Order(NamedTuple):
    """``start`` with these settings, ``examine`` whether they could be taken over, ``apply`` them, or ``leave``.

    A worker that leaves sends its clients elsewhere before it drains: others serve already.
    """

    verb: Literal["start", "examine", "apply", "leave"]
    settings: Settings


class Report(Struct, frozen=True, kw_only=True):
    """``ready`` to serve, ``refused`` to start, or the ``answer`` to an order; with what is wrong, if anything is."""

    kind: Literal["ready", "refused", "answer"]
    sentences: tuple[str, ...] = ()


def order_frame(order: Order) -> bytes:
    """An order as it is sent."""
    return _framed(pickle.dumps(order))


async def read_report(reader: asyncio.StreamReader) -> Report | None:
    """The next report; None at the end."""
    body = await _body(reader)
    return None if body is None else msgspec.json.decode(body, type=Report)


class WorkerLine:
    """The worker's end."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)

    def settings(self) -> Settings:
        """Wait for the first order: what to start with."""
        length = int.from_bytes(self._exactly(LENGTH_BYTES), "big")
        return _order(self._exactly(length)).settings

    def report(self, report: Report) -> None:
        """Tell the supervisor."""
        self._socket.sendall(_framed(msgspec.json.encode(report)))

    async def obey(self, examine: Examine | None, leave: Callable[[], None]) -> None:
        """Follow orders until the supervisor is gone."""
        reader, writer = await asyncio.open_connection(sock=self._socket.dup())
        try:
            while (body := await _body(reader)) is not None:
                order = _order(body)
                if order.verb == "leave":
                    leave()
                    continue
                report = _obeyed(order, examine)
                writer.write(_framed(msgspec.json.encode(report)))
                await writer.drain()
        finally:
            writer.close()

    def _exactly(self, count: int) -> bytes:
        received = b""
        while len(received) < count:
            part = self._socket.recv(count - len(received))
            if not part:
                raise EOFError("the supervisor has gone")
            received += part
        return received


def _obeyed(order: Order, examine: Examine | None) -> Report:
    try:
        take_over = examine(order.settings) if examine is not None else None
    except SettingsError as error:
        return Report(kind="answer", sentences=error.violations)
    if order.verb == "apply" and take_over is not None:
        take_over()
    return Report(kind="answer")


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


async def _body(reader: asyncio.StreamReader) -> bytes | None:
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _order(body: bytes) -> Order:
    order: Any = pickle.loads(body)  # noqa: S301 - written by the process that started this one, on a line of its own
    return Order(*order)
