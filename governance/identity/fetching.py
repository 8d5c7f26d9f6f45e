"""Reading a small public JSON document of an issuer: bounded in size and time, never redirected.

A redirect would let whoever answers at the issuer's address choose where keys come from, so
anything but a plain 200 is a failure. Addresses come from the configuration or the issuer's own
metadata, never from a token.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from governance.egress.exchange import Outgoing
from governance.egress.failures import ExchangeFailed
from governance.egress.wire import Bounds, Wire


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
        return await self._document(Outgoing(method="GET", url=url), {"accept": "application/json"})

    async def post(self, url: str, form: bytes, *, authorization: str) -> dict[str, Any]:
        """The JSON object with which ``url`` answers a form.

        Raises:
            Unreadable: as ``read``.
        """
        headers = {
            "accept": "application/json",
            "authorization": authorization,
            "content-type": "application/x-www-form-urlencoded",
        }
        return await self._document(Outgoing(method="POST", url=url, body=form), headers)

    async def _document(self, outgoing: Outgoing, headers: dict[str, str]) -> dict[str, Any]:
        url = outgoing.url
        try:
            async with asyncio.timeout(self._timeout_s):
                return msgspec.json.decode(await self._body(outgoing, headers), type=dict[str, Any])
        except (ExchangeFailed, TimeoutError) as error:
            raise Unreadable(f"{url}: {type(error).__name__}") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(f"{url}: not a JSON object") from error

    async def _body(self, outgoing: Outgoing, headers: dict[str, str]) -> bytes:
        seconds = self._timeout_s
        bounds = Bounds(connect_s=seconds, read_s=seconds, total_s=seconds, most_bytes=self._limit_bytes)
        wire = Wire(connections=1)
        await wire.start()
        try:
            reply = await wire.exchange(outgoing, headers, bounds)
        finally:
            await wire.stop()
        if reply.status != 200:
            raise Unreadable(f"{outgoing.url}: status {reply.status}")
        return reply.body
