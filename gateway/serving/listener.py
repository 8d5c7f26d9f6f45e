"""The listening socket: bound once by the supervisor and inherited by every worker.

So a port in use is known before anything is started, and connections wait in the queue, not lost,
while a crashed worker is replaced.
"""

from __future__ import annotations

import errno
import socket
import time

from gateway.serving.refusal import StartRefused

BACKLOG = 1024
WAIT_S = 1.0
"""How long a port may still be held by the workers of a gateway that was killed a moment ago."""
RETRY_S = 0.05


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket on ``host``:``port`` (0 for a free port).

    Raises:
        StartRefused: the port is in use, is not ours to take, or the address is not this machine's.
    """
    until = time.monotonic() + WAIT_S
    while True:
        try:
            return _bind(host, port)
        except UnicodeError:
            raise StartRefused(f"{host} is not an address that can be listened on.") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < until:
                time.sleep(RETRY_S)
                continue
            raise StartRefused(_why_not(host, port, error)) from None


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"{host} is not an address that can be listened on."
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is in use; stop what listens there, or set TIERGATE_PORT to another port."
        case errno.EACCES:
            return f"Port {port} may not be opened by this user; set TIERGATE_PORT to one above 1023."
        case errno.EADDRNOTAVAIL:
            return f"{host} is not an address of this machine; set TIERGATE_HOST to one that is."
        case _:
            return f"Port {port} on {host} can't be opened: {(error.strerror or 'no reason given').lower()}."
