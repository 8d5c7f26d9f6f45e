"""The HTTP client for vendors, issuers and webhooks: aiohttp, with everything off that acts on its own.

No redirect is followed, no cookie kept, no proxy taken from the environment, no request repeated, no
content coding asked for or undone. TLS is verified. An answer larger than ``most_bytes``, one
with a content coding, and one that breaks HTTP are ``Unreadable``.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from governance.egress.exchange import Outgoing, Reply
from governance.egress.failures import Broken, ExchangeFailed, NotConnected, TooSlow, Unreadable


class Bounds(Struct, frozen=True, kw_only=True):
    """How long one exchange may take, in seconds, and how much it may bring."""

    connect_s: float
    read_s: float
    total_s: float
    most_bytes: int


class Wire:
    """Pooled connections. ``start`` it in the event loop that uses it."""

    def __init__(self, *, ca_file: str = "", connections: int = 256, resolver: AbstractResolver | None = None) -> None:
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self._connections = connections
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; connections are made when they are needed."""
        connector = aiohttp.TCPConnector(
            limit=self._connections,
            ttl_dns_cache=60,
            ssl=self._tls if self._tls is not None else True,
            resolver=self._resolver,
            force_close=self._resolver is not None,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "tiergate"},
            auto_decompress=False,
            trust_env=False,
        )
        # aiohttp sends an idempotent request again by itself when its connection ends, which no budget would see.
        self._session._retry_connection = False  # pyright: ignore[reportPrivateUsage]

    async def stop(self) -> None:
        """Close the pool."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def exchange(self, outgoing: Outgoing, headers: Mapping[str, str], bounds: Bounds) -> Reply:
        """The whole answer to one attempt.

        Raises:
            ExchangeFailed: none came.
            RuntimeError: it is not started.
        """
        if self._session is None:
            raise RuntimeError("the way out is not open: start egress first")
        timeout = aiohttp.ClientTimeout(
            total=bounds.total_s, sock_connect=min(bounds.connect_s, bounds.total_s), sock_read=bounds.read_s
        )
        answered = False
        try:
            async with self._session.request(
                outgoing.method,
                URL(outgoing.url, encoded=True),
                headers=headers,
                data=outgoing.body,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answered = True
                return await _reply(response, bounds.most_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _failure(error, answered=answered) from error


async def _reply(response: aiohttp.ClientResponse, most_bytes: int) -> Reply:
    headers: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
    if headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("the answer has a content coding that nobody asked for")
    if (response.content_length or 0) > most_bytes:
        raise Unreadable(f"the answer is larger than {most_bytes} bytes")
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > most_bytes:
            response.close()
            raise Unreadable(f"the answer is larger than {most_bytes} bytes")
    return Reply(status=response.status, headers=headers, body=bytes(body))


def _failure(error: Exception, *, answered: bool) -> ExchangeFailed:
    said = str(error) or type(error).__name__
    match error:
        case aiohttp.ConnectionTimeoutError():
            return NotConnected(said, late=True)
        case TimeoutError():
            return TooSlow(said)
        case aiohttp.ClientConnectorError():
            return NotConnected(said)
        case aiohttp.ServerDisconnectedError() | OSError():
            return Broken(said, silent=not answered)
        case aiohttp.ClientPayloadError():
            return Broken(said, silent=False)
        case _:
            return Unreadable(said)


class Pinned(AbstractResolver):
    """Answers one address for one host, so that what was judged is what is connected to."""

    def __init__(self, host: str, address: str, family: int) -> None:
        self._host = host
        self._address = address
        self._family = family

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[Any]:
        """The pinned address.

        Raises:
            OSError: another host is asked for.
        """
        if host != self._host:
            raise OSError(f"{host} was not judged")
        return [{"hostname": host, "host": self._address, "port": port, "family": self._family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Nothing is open."""
