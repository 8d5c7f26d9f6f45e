"""Requests to a running gateway over HTTP, exactly as probes spell them: nothing is normalised, nothing followed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import httpx2

from governance.prove.reply import Reply, Send

TIMEOUT_S = 30.0


class Unreachable(Exception):
    """The gateway does not answer; the message says which and why."""


@asynccontextmanager
async def http_sender(urls: Mapping[str, str], default: str, *, at_once: int) -> AsyncGenerator[Send]:
    """A sender to the gateway at ``default``, or for paths below a tier to that of ``urls``; base URLs without a slash."""
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    async with httpx2.AsyncClient(limits=limits, timeout=TIMEOUT_S, trust_env=False) as client:

        async def send(method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
            base = httpx2.URL(urls.get(target[1:].partition("/")[0], default))
            url = base.copy_with(raw_path=target.encode())
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
