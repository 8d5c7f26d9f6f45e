"""How a worker that is replaced parts from its clients: politely, so that no request is lost on the way.

HTTP/1.1 lets a server close an idle connection at any time, and a request that is sent at that moment
is lost. So a worker that leaves accepts no more connections, and answers on those that it has with
``Connection: close`` for ``LINGER_S`` seconds: its clients go to the workers that stay. Only connections
that were idle all that time are then closed on them.

Standard: RFC 9112 §9.6 (tear-down: the close option on the last answer).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable

from gateway.serving.lifespan import Application, Message, Receive, Send

LINGER_S = 1.0
CLOSE = (b"connection", b"close")


class Farewell:
    """An application; once ``leaving`` is set, each of its answers is the last on its connection."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.leaving = False

    def __call__(self, scope: Message, receive: Receive, send: Send) -> Awaitable[None]:
        """One ASGI call."""
        return self._application(scope, receive, _last(send) if self.leaving else send)


def accept_no_more(listener: int) -> None:
    """Let this process accept nothing on ``listener``, which other processes go on to accept on.

    The server has no such switch. Every descriptor of the socket here is made one of a listener that
    nobody knows: the server finds no connection waiting, and those that wait are left to the others.
    """
    shared = os.fstat(listener)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as quiet:
        quiet.setblocking(False)
        for name in os.listdir("/dev/fd"):
            descriptor = int(name)
            if descriptor != quiet.fileno() and _is(descriptor, shared):
                os.dup2(quiet.fileno(), descriptor, inheritable=False)


def _is(descriptor: int, other: os.stat_result) -> bool:
    try:
        found = os.fstat(descriptor)
    except OSError:  # the folder's own descriptor, closed by now
        return False
    return (found.st_dev, found.st_ino) == (other.st_dev, other.st_ino)


def _last(send: Send) -> Send:
    def closing(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), CLOSE]
        return send(message)

    return closing
