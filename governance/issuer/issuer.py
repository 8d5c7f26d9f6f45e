"""The embedded issuer of access tokens, so that a fresh machine needs no other.

Clients get tokens in their own name (client credentials) and in that of users who sign in (code with
PKCE, refresh), narrow them for others (token exchange), look them up and revoke them. Grants, refresh
tokens and revocations are kept in Tiergate's database, so every process of one gateway can answer;
while it is away only client credentials are served. Passwords and secrets are checked in threads.
When key file or database can't be used it does not start.

Standards: RFC 6749, RFC 7009 (revocation), RFC 7636 (PKCE), RFC 7662 (introspection), RFC 8414
(metadata), RFC 8693 (token exchange), RFC 8707 (resource), RFC 9068 (access tokens), RFC 9207 (iss),
RFC 9700 (security).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from secrets import token_bytes
from typing import Any

import msgspec

from governance.call import Answer, Clock
from governance.consumers import Consumers, ScopeCatalogue
from governance.contract.problems import NotFound
from governance.database import Database
from governance.identity import PeerFailures, TrustedIssuer
from governance.identity.key_file import ALGORITHM
from governance.issuer.access_tokens import AccessTokens
from governance.issuer.authority import Authority
from governance.issuer.authorization import Requests
from governance.issuer.form_seal import FormSeal
from governance.issuer.grants import Grants
from governance.issuer.key_ring import KeyRing
from governance.issuer.metadata import GRANT_PATH, SIGN_IN_PATH, ProtectedResources, key_set, server_metadata
from governance.issuer.revocations import LOOK_S, Revocations
from governance.issuer.server import JSON_HEADERS, TokenServer
from governance.issuer.sign_in import SignIn
from governance.issuer.tables import MIGRATIONS
from governance.issuer.token_desk import TokenDesk
from governance.issuer.token_request import TokenRequest
from governance.issuer.users import Users

LIFETIME_S = 3_600


class EmbeddedIssuer:
    """The issuer at ``public_url``, which is also its ``iss``.

    ``database`` is started before it and stopped after it. ``form_key``: what its processes seal the
    sign-in form with, the same in all of them.
    """

    def __init__(
        self,
        public_url: str,
        keys: KeyRing,
        consumers: Consumers,
        catalogue: ScopeCatalogue,
        clock: Clock,
        *,
        users: Users | None = None,
        database: Database | None = None,
        form_key: bytes = b"",
        lifetime_s: int = LIFETIME_S,
        failures: PeerFailures | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        self.issuer = public_url.rstrip("/")
        self.tokens = AccessTokens(self.issuer, keys, catalogue, clock, lifetime_s)
        self.resources = ProtectedResources(self.issuer, (self.issuer,), catalogue)
        self.users = users or Users()
        self._keys = keys
        self._catalogue = catalogue
        self._consumers = consumers
        database = database or Database(Path())  # never opened: only client credentials are served then
        database.adopt(MIGRATIONS)
        self.grants = grants = Grants(database, clock, lifetime_s)
        self.revocations = Revocations(grants, keys, look_s=look_s)
        desk = TokenDesk(self.issuer, self.tokens, grants, self.revocations)
        self._server = TokenServer(
            self.issuer + GRANT_PATH, consumers, self.users, self.tokens, grants, self.revocations, desk
        )
        self._failures = failures or PeerFailures(clock, burst=20, per_second=1.0)
        self.sign_in = SignIn(
            SIGN_IN_PATH,
            Requests(self.issuer, consumers, self.tokens),
            self.users,
            grants,
            FormSeal(form_key or token_bytes(32), clock, secure=self.issuer.startswith("https:")),
            PeerFailures(clock, burst=20, per_second=0.5),
            PeerFailures(clock, burst=10, per_second=1 / 30),
        )

    async def start(self) -> None:
        """Learn what was revoked, and go on learning.

        Raises:
            DatabaseAway: it can't be known now.
        """
        await self.revocations.start()

    async def stop(self) -> None:
        """Learn no more."""
        await self.revocations.stop()

    def trusted(self) -> TrustedIssuer:
        """The issuer as a ``TokenVerifier`` must know it: by its own keys, without a request."""
        return TrustedIssuer(
            issuer=self.issuer, keys=self._keys, algorithms=(ALGORITHM,), revoked=self.revocations.revokes
        )

    async def token(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/token``."""
        return await self._answered(request, self._server.answer)

    async def introspect(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/introspect``."""
        return await self._answered(request, self._server.introspect)

    async def revoke(self, request: TokenRequest) -> Answer:
        """The answer of ``POST /oauth/revoke``; what it revoked is refused here from now on."""
        return await self._answered(request, self._server.revoke)

    async def _answered(self, request: TokenRequest, answer: Callable[[TokenRequest], Answer]) -> Answer:
        wait_s = self._failures.wait_s(request.peer)
        if wait_s:
            body = msgspec.json.encode({"error": "slow_down", "error_description": "Too many failed requests."})
            return Answer(429, (*JSON_HEADERS, (b"retry-after", str(wait_s).encode())), body)
        answered = await asyncio.to_thread(answer, request)
        if answered.status == 401:
            self._failures.record(request.peer)
        self.revocations.tell()
        return answered

    def issue(self, client_id: str, scopes: frozenset[str] | None = None) -> str:
        """An access token for a known client without its secret: for the operator's own command line.

        Raises:
            NotFound: there is no such client.
        """
        consumer = self._consumers.get(client_id)
        if consumer is None:
            raise NotFound()
        held = consumer.scopes if scopes is None else consumer.scopes & scopes
        return self.tokens.issue(Authority.of_client(consumer), held)["access_token"]

    def metadata(self) -> dict[str, Any]:
        """RFC 8414 metadata."""
        return server_metadata(self.issuer, self._catalogue)

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        return key_set(self._keys.published())
