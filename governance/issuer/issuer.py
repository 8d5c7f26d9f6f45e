"""The embedded issuer: client credentials for access tokens, so that a fresh machine needs no other.

It keeps nothing but its key file, so every process of one gateway can answer. Secrets that are only
known as scrypt hashes are checked in a thread. When the key file can't be used it does not start.

Standards: RFC 6749 §4.4, §5 (client credentials), RFC 8414 (metadata), RFC 8707 (resource), RFC
9068 (access tokens), RFC 9700 §2.5 (client authentication).
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from joserfc.jwk import OKPKey

from governance.call import Answer, Clock
from governance.consumers import Consumers, ScopeCatalogue
from governance.contract.problems import NotFound
from governance.identity import OwnKeys, PeerFailures, TrustedIssuer
from governance.identity.key_file import ALGORITHM
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.metadata import GRANT_PATH, ProtectedResources, key_set, server_metadata
from governance.issuer.server import JSON_HEADERS, TokenServer
from governance.issuer.token_request import TokenRequest

LIFETIME_S = 3_600


class EmbeddedIssuer:
    """The issuer at ``public_url``, which is also its ``iss``. ``keys``: the signing key first."""

    def __init__(
        self,
        public_url: str,
        keys: tuple[OKPKey, ...],
        consumers: Consumers,
        catalogue: ScopeCatalogue,
        clock: Clock,
        *,
        lifetime_s: int = LIFETIME_S,
        failures: PeerFailures | None = None,
    ) -> None:
        self.issuer = public_url.rstrip("/")
        self.tokens = AccessTokens(self.issuer, keys[0], catalogue, clock, lifetime_s)
        self.resources = ProtectedResources(self.issuer, (self.issuer,), catalogue)
        self._keys = keys
        self._catalogue = catalogue
        self._consumers = consumers
        self._server = TokenServer(self.issuer + GRANT_PATH, consumers, self.tokens)
        self._failures = failures or PeerFailures(clock, burst=20, per_second=1.0)

    def trusted(self) -> TrustedIssuer:
        """The issuer as a ``TokenVerifier`` must know it: by its own keys, without a request."""
        return TrustedIssuer(issuer=self.issuer, keys=OwnKeys(self._keys), algorithms=(ALGORITHM,))

    async def token(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/token``."""
        wait_s = self._failures.wait_s(request.peer)
        if wait_s:
            body = msgspec.json.encode({"error": "slow_down", "error_description": "Too many failed requests."})
            return Answer(429, (*JSON_HEADERS, (b"retry-after", str(wait_s).encode())), body)
        answer = await asyncio.to_thread(self._server.answer, request)
        if answer.status == 401:
            self._failures.record(request.peer)
        return answer

    def issue(self, client_id: str, scopes: frozenset[str] | None = None) -> str:
        """An access token for a known client without its secret: for the operator's own command line.

        Raises:
            NotFound: there is no such client.
        """
        consumer = self._consumers.get(client_id)
        if consumer is None:
            raise NotFound()
        held = consumer.scopes if scopes is None else consumer.scopes & scopes
        return self.tokens.issue(consumer, held)["access_token"]

    def metadata(self) -> dict[str, Any]:
        """RFC 8414 metadata."""
        return server_metadata(self.issuer, self._catalogue)

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        return key_set(self._keys)
