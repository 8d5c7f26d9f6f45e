"""Authentication: bearer token to principal, at the edge and on hops between processes.

Guarantees: no served call passes without a token that verifies for its tier; a token that verified
before costs a look-up and no waiting; a peer that keeps sending bad tokens is refused before
cryptography, and never hinders a token that is known. Every 401 carries the challenge that says
what is missing and where to get it. When an issuer's keys can't be had, the answer is 503.

A local call is not authenticated here: it carries the identity of the call it comes from.

Standards: RFC 6750, RFC 9068, RFC 8725, RFC 9728 §5.1, RFC 6585 §4.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, NoReturn

from governance.call import Binding, Clock, Documented, Exchange, Handler, Policy, Probe, Stage, Wrap
from governance.contract.operation import Operation
from governance.contract.refusals import MalformedRequest, RateLimited, SystemUnavailable, Unauthenticated
from governance.identity import BadToken, Identity, KeysUnavailable, PeerFailures, TokenVerifier
from governance.identity.challenges import HEADER
from governance.policies.authentication.bearer import AmbiguousCredentials, bearer_token, well_formed
from governance.policies.authentication.document import DOCUMENTED, probes
from governance.policies.authentication.hints import call_of
from governance.policies.authentication.settings import Settings


class Enforcement(Policy):
    """Identifies the caller of every served operation."""

    name = "authentication"
    stage = Stage.IDENTIFY
    position = 10

    def __init__(self, settings: Settings, verifier: TokenVerifier, clock: Clock) -> None:
        self._settings = settings
        self._verifier = verifier
        self._clock = clock
        self._failures = PeerFailures(clock, burst=settings.failure_burst, per_second=settings.failures_per_s)

    def enforce(self, operation: Operation, binding: Binding) -> Wrap | None:
        """Every served operation but those whose callers sign what they deliver."""
        if binding != "served" or operation.inbound:
            return None
        known = self._verifier.cache_of(operation.tier).get

        def wrap(inner: Handler) -> Handler:
            def identify(exchange: Exchange) -> Awaitable[Any]:
                token = self._token(exchange)
                identity = known(token)
                if identity is None:
                    return self._verified(exchange, token, inner)
                self._enter(exchange, identity)
                return inner(exchange)

            return identify

        return wrap

    def document(self, operation: Operation) -> Documented:
        """401 with its challenge, 429 for a flood of bad tokens, 503 without keys."""
        return Documented() if operation.inbound else DOCUMENTED

    def prove(self, operation: Operation) -> Iterable[Probe]:
        """No token, and three that do not count."""
        return probes()

    def _token(self, exchange: Exchange) -> bytes:
        tier = exchange.operation.tier
        try:
            token = bearer_token(exchange.served)
        except AmbiguousCredentials as error:
            self._challenge(exchange, self._verifier.challenges.invalid_request(tier, str(error)))
            raise MalformedRequest(detail=str(error)) from error
        if token is None:
            self._challenge(exchange, self._verifier.challenges.missing(tier))
            raise Unauthenticated(detail="Send an access token as Authorization: Bearer.")
        return token

    async def _verified(self, exchange: Exchange, token: bytes, inner: Handler) -> Any:
        peer = exchange.served.peer
        wait_s = self._failures.wait_s(peer)
        if wait_s:
            exchange.response_headers.append((b"retry-after", b"%d" % wait_s))
            raise RateLimited(detail="Too many tokens that do not verify came from this address.")
        try:
            if not well_formed(token):
                raise BadToken("malformed", "The token has characters that no token has.")
            identity = await self._verifier.verify(token, exchange.operation.tier)
        except BadToken as error:
            self._failures.record(peer)
            self._refuse(exchange, error)
        except KeysUnavailable as error:
            exchange.response_headers.append((b"retry-after", b"%d" % error.retry_after_s))
            raise SystemUnavailable(detail="The token can't be verified now: its issuer does not answer.") from error
        self._enter(exchange, identity)
        return await inner(exchange)

    def _enter(self, exchange: Exchange, identity: Identity) -> None:
        exchange.principal = identity.principal
        exchange.call = call_of(exchange, identity, self._clock, self._settings.max_wait_s)

    def _refuse(self, exchange: Exchange, error: BadToken) -> NoReturn:
        exchange.evidence["token"] = error.reason
        self._challenge(exchange, self._verifier.challenges.invalid_token(exchange.operation.tier, error.detail))
        raise Unauthenticated(detail=error.detail) from error

    @staticmethod
    def _challenge(exchange: Exchange, challenge: bytes) -> None:
        exchange.response_headers.append((HEADER, challenge))
