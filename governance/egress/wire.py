"""The HTTP client for vendors, issuers and webhooks; what it is made of is what hops are made of.

No redirect is followed, no cookie kept, no proxy taken from the environment, no request repeated, no
content coding asked for or undone. TLS is verified. An answer larger than ``most_bytes``, one
with a content coding, and one that breaks HTTP are ``Unreadable``; so is a URL that is none.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping

from msgspec import Struct

from governance.call.exchange import Answer
from governance.egress.connection import Terms
from governance.egress.exchange import Outgoing, Reply
from governance.egress.failures import Unreadable
from governance.egress.pool import Pool

URL = re.compile(r"(https?://[!-\"$-.0->A-\[\]-~]+)([/?][!-\"$-~]*)?(?:#[!-~]*)?")
"""Origin without credentials, and target; printable ASCII only, a fragment stays here."""
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Bounds(Struct, frozen=True, kw_only=True):
    """How long one exchange may take, in seconds, and how much it may bring."""

    connect_s: float
    read_s: float
    total_s: float
    most_bytes: int


class Wire:
    """Pooled connections. ``start`` it in the event loop that uses it.

    ``address`` is connected to whatever a URL's name resolves to: so that what was judged is what is called.
    """

    def __init__(self, *, ca_file: str = "", connections: int = 256, address: str = "") -> None:
        self._tls = ssl.create_default_context(cafile=ca_file) if ca_file else None
        self._connections = connections
        self._address = address
        self._pools: dict[str, Pool] | None = None

    async def start(self) -> None:
        """Make it usable; connections are made when they are needed."""
        self._pools = {}

    async def stop(self) -> None:
        """Close every connection."""
        pools, self._pools = self._pools, None
        for pool in (pools or {}).values():
            pool.close()
        await asyncio.sleep(0)  # asyncio closes an aborted connection in the loop's next turn

    async def exchange(self, outgoing: Outgoing, headers: Mapping[str, str], bounds: Bounds) -> Reply:
        """The whole answer to one attempt.

        Raises:
            ExchangeFailed: none came.
            RuntimeError: it is not started.
        """
        pools = self._pools
        if pools is None:
            raise RuntimeError("the way out is not open: start egress first")
        found = URL.fullmatch(outgoing.url)
        if found is None:
            raise Unreadable("the URL can't be read, or holds credentials")
        target = found[2] or "/"
        pool = pools.get(found[1])
        if pool is None:
            pool = pools[found[1]] = self._pool(found[1])
        body = outgoing.body
        if body is None and outgoing.method in WITH_BODY:
            body = b""
        request = pool.request(outgoing.method, target if target[0] == "/" else f"/{target}", headers, body)
        terms = Terms(
            most_bytes=bounds.most_bytes,
            read_s=bounds.read_s,
            until_close=True,
            without_body=outgoing.method == "HEAD",
        )
        return _reply(await pool.exchange(request, bounds.total_s, bounds.connect_s, terms))

    def _pool(self, origin: str) -> Pool:
        try:
            return Pool(origin, self._connections, tls=self._tls, address=self._address)
        except ValueError as error:
            raise Unreadable("the URL can't be read") from error


def _reply(answer: Answer) -> Reply:
    headers: dict[str, str] = {}
    for name, value in answer.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    if headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("the answer has a content coding that nobody asked for")
    return Reply(status=answer.status, headers=headers, body=answer.body)
