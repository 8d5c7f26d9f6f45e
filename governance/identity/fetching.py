"""Reading a small public JSON document of an issuer: bounded in size and time, never redirected.

A redirect would let whoever answers at the issuer's address choose where keys come from, so
anything but a plain 200 is a failure. Addresses come from the configuration or the issuer's own
metadata, never from a token.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import msgspec


class Unreadable(Exception):
    """The document can't be had, or is not what it should be."""


class DocumentReader:
    """Reads JSON objects of up to ``limit_bytes`` within ``timeout_s`` altogether."""

    def __init__(self, *, timeout_s: float = 2.0, limit_bytes: int = 65_536) -> None:
        self._timeout_s = timeout_s
        self._limit_bytes = limit_bytes

    async def read(self, url: str) -> dict[str, Any]:
        """The JSON object at ``url``.

        Raises:
            Unreadable: no answer in time, another status than 200, too large, or not a JSON object.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return msgspec.json.decode(await self._body(url), type=dict[str, Any])
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError) as error:
            raise Unreadable(f"{url}: {type(error).__name__}") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"{url}: not a JSON object") from error

    async def _body(self, url: str) -> bytes:
        client = httpx2.AsyncClient(follow_redirects=False, trust_env=False, timeout=self._timeout_s)
        async with client, client.stream("GET", url, headers={"accept": "application/json"}) as response:
            if response.status_code != 200:
                raise Unreadable(f"{url}: status {response.status_code}")
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > self._limit_bytes:
                    raise Unreadable(f"{url}: larger than {self._limit_bytes} bytes")
            return bytes(body)
