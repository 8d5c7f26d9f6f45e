"""The policy around a handler that remembers what reached it, with tokens of two issuers and of hops."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec import Struct

from governance.call import Accounts, Exchange, ManualClock, Principal, Request
from governance.contract import Contract, operation_of, read
from governance.identity import HopTokens, KeysUnavailable, OwnKeys, TokenVerifier, TrustedIssuer
from governance.policies.authentication import Enforcement, Settings

PUBLIC_URL = "https://gw.example"


class Part(Struct, frozen=True):
    """A part."""

    name: str


class PartsV1(Contract, Protocol, owner="Tests", folder="process_apis.parts.v1"):
    """Parts."""

    @read("/parts", scope="parts.parts:read", public_because="Sample.")
    async def get_part(self) -> Part:
        """One part."""
        ...


class AwayKeys:
    """The keys of an issuer that does not answer."""

    async def find(self, kid: str | None, algorithm: str) -> Any:
        raise KeysUnavailable("https://away.example", 7)


class Gate:
    """The authentication policy of one operation."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.key = OKPKey.generate_key("Ed25519", auto_kid=True)
        self.operation = operation_of(PartsV1.get_part)
        self.hops = HopTokens([OKPKey.generate_key("Ed25519", {"alg": "Ed25519"}, auto_kid=True)], self.clock)
        issuers = [
            TrustedIssuer(issuer="https://id.example", keys=OwnKeys([self.key])),
            TrustedIssuer(issuer="https://away.example", keys=AwayKeys()),
            self.hops.trusted(PUBLIC_URL),
        ]
        self.verifier = TokenVerifier(issuers, PUBLIC_URL, self.clock)
        self.policy = Enforcement(Settings(failure_burst=5, failures_per_s=1), self.verifier, self.clock)
        self.reached: list[Exchange] = []
        wrap = self.policy.enforce(self.operation, "served")
        assert wrap is not None
        self.handler = wrap(self.inner)

    async def inner(self, exchange: Exchange) -> str:
        self.reached.append(exchange)
        return "inner"

    def token(self, **changed: Any) -> str:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": "https://id.example",
            "sub": "u-1",
            "aud": f"{PUBLIC_URL}/process",
            "exp": now + 300,
            "iat": now,
            "client_id": "c-1",
            "scope": "parts.parts:read",
            "accounts": ["ACME"],
            **changed,
        }
        header = {"alg": "Ed25519", "typ": "at+jwt", "kid": self.key.kid}
        return jws.serialize_compact(header, json.dumps(claims), self.key, algorithms=["Ed25519"])

    def hop_token(self) -> str:
        user = Principal(
            subject="u-1", client_id="c-1", scopes=frozenset({"portal.parts:read"}), accounts=Accounts(ids=("ACME",))
        )
        return self.hops.token_for(user, "portal.v1", self.operation)

    def exchange(self, *headers: tuple[str, str], query: bytes = b"", peer: str = "192.0.2.1") -> Exchange:
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
        request = Request(
            method="GET", path=self.operation.path, query=query, raw_headers=raw, peer=peer, receive=nothing_to_receive
        )
        exchange = Exchange(self.operation, "served", request)
        exchange.evidence["request_id"] = "r-1"
        return exchange


async def nothing_to_receive() -> Any:
    raise AssertionError("authentication reads no body")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def challenge_of() -> Callable[[Exchange], str]:
    def challenge(exchange: Exchange) -> str:
        values = [value.decode() for name, value in exchange.response_headers if name == b"www-authenticate"]
        assert len(values) == 1
        return values[0]

    return challenge
