"""Requests to a running gateway over HTTP, exactly as probes spell them: nothing is normalised, nothing followed."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress

import httpx2

from governance.prove.reply import Reply, Send

TIMEOUT_S = 30.0


class Unreachable(Exception):
    """The gateway does not answer; the message says which and why."""


@asynccontextmanager
async def http_sender(
    urls: Mapping[str, str], default: str, *, at_once: int, most_body_bytes: int = 1_048_576
) -> AsyncGenerator[Send]:
    """A sender to the gateway at ``default``, or for paths below a tier to that of ``urls``; base URLs without a slash.

    Of a body above ``most_body_bytes`` only the length is sent: a gateway refuses it by that, and may hang up.
    """
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx2.AsyncClient(limits=limits, timeout=TIMEOUT_S, trust_env=False) as client:

        async def send(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
            base = httpx2.URL(urls.get(target[1:].partition("/")[0], default))
            url = base.copy_with(raw_path=target.encode())
            if body is not None and len(body) > most_body_bytes:
                return await _announced(base, method, target, headers, len(body))
            try:
                answer = await _once(client, method, url, headers, body)
            except httpx2.HTTPError as error:
                raise Unreachable(f"{base} does not answer ({type(error).__name__}: {error}).") from None
            names = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(status=answer.status_code, headers=names, body=answer.content)

        yield send


async def _once(
    client: httpx2.AsyncClient, method: str, url: httpx2.URL, headers: Mapping[str, str], body: bytes | None
) -> httpx2.Response:
    """The answer; asked twice where a pooled connection was closed at the moment of its reuse."""
    try:
        return await client.request(method, url, headers=dict(headers), content=body)
    except (httpx2.RemoteProtocolError, httpx2.ReadError):
        return await client.request(method, url, headers=dict(headers), content=body)


async def _announced(base: httpx2.URL, method: str, target: str, headers: Mapping[str, str], length: int) -> Reply:
    """The answer to the head of a request whose body is never sent."""
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {base.netloc.decode()}",
        f"Content-Length: {length}",
        "Connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    secure = ssl.create_default_context() if base.scheme == "https" else None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(base.host, base.port or (443 if secure else 80), ssl=secure)
            try:
                writer.write("\r\n".join((*lines, "", "")).encode("latin-1"))
                return await _read(reader)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError, asyncio.IncompleteReadError) as error:
        raise Unreachable(f"{base} does not answer ({type(error).__name__}: {error}).") from None


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in head[1:] if line]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Reply(status=int(head[0].split(" ")[1]), headers=headers, body=body)
