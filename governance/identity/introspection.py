"""Asking the issuer whether a token counts now: for opaque tokens, or as a further check of each JWT.

Guarantees: every call asks, so a token revoked at its issuer is refused at the next call; nothing of
an answer is kept. The question carries the gateway's own client credentials, goes to one configured
or published endpoint, is bounded in time and size, is never redirected, and only ``at_once`` of them
are under way. When the endpoint gives no plain answer, ``IntrospectionUnavailable`` is raised: never
an open door. The cost is one exchange with the issuer for each call to the gateway.

Standards: RFC 7662 §2.1 (request), §2.2 (answer), §4 (the protected resource checks the answer);
RFC 6749 §2.3.1 (client credentials).
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any, Literal, NamedTuple
from urllib.parse import quote_plus, urlencode

from governance.identity.discovery import located
from governance.identity.fetching import DocumentReader, Unreadable
from governance.identity.key_sources import KeysUnavailable

Use = Literal["opaque", "always"]


class IntrospectionUnavailable(KeysUnavailable):
    """The issuer does not say whether the token counts."""


class Credentials(NamedTuple):
    """The client that the gateway is at the issuer."""

    client_id: str
    client_secret: str

    @property
    def header(self) -> str:
        """HTTP Basic as OAuth spells it: both parts are form-encoded first."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    def __repr__(self) -> str:
        return f"Credentials({self.client_id!r}, ***)"


class Introspection:
    """The introspection endpoint of ``issuer``; ``url`` empty means: look it up in the issuer's metadata."""

    def __init__(
        self,
        issuer: str,
        credentials: Credentials,
        use: Use,
        *,
        url: str = "",
        reader: DocumentReader | None = None,
        at_once: int = 32,
    ) -> None:
        self.use: Use = use
        self._issuer = issuer
        self._credentials = credentials
        self._url = url
        self._reader = reader or DocumentReader()
        self._places = asyncio.Semaphore(at_once)

    async def ask(self, token: bytes) -> dict[str, Any] | None:
        """What the issuer says of an active token, or None of one that does not count.

        Raises:
            IntrospectionUnavailable: it gives no plain answer.
        """
        form = urlencode({"token": token.decode("latin-1"), "token_type_hint": "access_token"}).encode()
        try:
            async with self._places:
                self._url = self._url or await located(self._issuer, "introspection_endpoint", self._reader)
                answer = await self._reader.post(self._url, form, authorization=self._credentials.header)
        except Unreadable as error:
            raise IntrospectionUnavailable(self._issuer, 1) from error
        match answer.get("active"):
            case True:
                return answer
            case False:
                return None
            case _:
                raise IntrospectionUnavailable(self._issuer, 1)
