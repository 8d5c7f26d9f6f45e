"""Asking a gateway on this machine whether it is ready."""

from __future__ import annotations

import asyncio
import socket

from gateway.settings.sections import ANY_ADDRESS

ATTEMPT_S = 1.0
PAUSE_S = 0.02
REQUEST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


async def until_ready(listener: socket.socket) -> None:
    """Return once ``GET /readyz`` on the address of ``listener`` has answered 200."""
    host, port = loopback_of(listener)
    while True:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                status = await _status(host, port)
        except (OSError, TimeoutError, ValueError):
            status = 0
        if status == 200:
            return
        await asyncio.sleep(PAUSE_S)


def answers_ready(host: str, port: int) -> bool:
    """Whether ``GET /readyz`` at ``host``:``port`` answers 200 now."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(ATTEMPT_S):
                return await _status(host, port) == 200
        except (OSError, TimeoutError, ValueError):
            return False

    return asyncio.run(ask())


def loopback_of(listener: socket.socket) -> tuple[str, int]:
    """Host and port at which ``listener`` is reached from this machine."""
    host, port = listener.getsockname()[:2]
    return ANY_ADDRESS.get(host, host), port


async def _status(host: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(REQUEST)
        line = await reader.readline()
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()
