"""Faults of authentication: what must be refused is believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec

from governance.call import Call, Exchange, Policy, Principal
from governance.contract import Operation
from governance.contract.refusals import MalformedRequest, Unauthenticated
from governance.identity import BadToken, Identity, TokenVerifier, verifier
from governance.identity.issuers import Claims, identity_of
from governance.policies.authentication import Enforcement, bearer
from tests.mutants.mutant import Fault, instead, patched, without

GROUP = "authentication"
REASONS = {
    "expired": "expiry is not checked",
    "not-yet": "times in the future are not checked",
    "audience": "the audience is not checked",
    "issuer": "the issuer is not checked",
    "type": "the token's type is ignored",
    "algorithm": "algorithms are not restricted",
    "signature": "signatures are not checked",
    "key": "a key that nobody publishes is good enough",
    "critical": "critical extensions are ignored",
    "claims": "claims may be missing",
}
"""Why a token is refused, and what it means to let that pass."""


def faults() -> Iterator[Fault]:
    """Every fault of this group."""
    yield Fault(group=GROUP, name="the policy is not in the chain", change=without("authentication"))
    for reason, name in REASONS.items():
        yield Fault(group=GROUP, name=name, patch=patched(TokenVerifier, "verify", _forgiving(reason)))
    yield Fault(
        group=GROUP,
        name="a request without a token passes",
        change=instead("authentication", _everybody(with_token=False)),
    )
    yield Fault(
        group=GROUP,
        name="a request with any token passes",
        change=instead("authentication", _everybody(with_token=True)),
    )
    yield Fault(
        group=GROUP,
        name="a token in the address is not refused",
        patch=patched(bearer, "_refuse_in_query", lambda query: None),
    )
    yield Fault(
        group=GROUP, name="refusals carry no challenge", patch=patched(Enforcement, "_challenge", staticmethod(_silent))
    )
    yield Fault(
        group=GROUP,
        name="a refused token is answered as a malformed request",
        patch=patched(Enforcement, "_refuse", _malformed),
    )


def _forgiving(forgiven: str) -> Callable[..., Awaitable[Identity]]:
    verify: Any = vars(TokenVerifier)["verify"]

    async def forgiving(self: Any, token: bytes, tier: str) -> Identity:
        try:
            identity: Identity = await verify(self, token, tier)
        except BadToken as error:
            if error.reason != forgiven:
                raise
            return _believed(self, token)
        return identity

    return forgiving


def _believed(self: Any, token: bytes) -> Identity:
    """What the token says, whoever says it."""
    payload = {"exp": 4_000_000_000, **verifier._payload(token)}
    trusted = next(one for one in self._issuers.values() if one.token_type == "at+jwt")
    return identity_of(payload, msgspec.convert(payload, Claims), trusted)


def _everybody(*, with_token: bool) -> Callable[[Policy], Policy]:
    def make(policy: Policy) -> Policy:
        class Open(Enforcement):
            """Lets unknown callers in as somebody who may do everything."""

            def enforce(self, operation: Operation, binding: Any) -> Any:
                wrap = super().enforce(operation, binding)
                assert wrap is not None

                def opened(inner: Any) -> Any:
                    whole = wrap(inner)

                    async def identify(exchange: Exchange) -> Any:
                        try:
                            return await whole(exchange)
                        except Unauthenticated:
                            if (b"authorization" in exchange.served.headers) != with_token:
                                raise
                            return await let_in(exchange)

                    async def let_in(exchange: Exchange) -> Any:
                        somebody = Principal(subject="x", client_id="x", scopes=frozenset((operation.scope,)))
                        exchange.response_headers[:] = [
                            pair for pair in exchange.response_headers if pair[0] != b"www-authenticate"
                        ]
                        exchange.principal = somebody
                        exchange.call = Call(principal=somebody, operation_id=operation.id)
                        return await inner(exchange)

                    return identify

                return opened

        open_one: Any = Open.__new__(Open)
        open_one.__dict__.update(vars(policy))
        found: Policy = open_one
        return found

    return make


def _silent(exchange: Exchange, challenge: bytes) -> None:
    """Says nothing."""


def _malformed(self: Any, exchange: Exchange, error: BadToken) -> None:
    raise MalformedRequest(detail=str(error))
