"""A key, a clock, and forged tokens: every part of a token can be made wrong."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import Key, OKPKey

from governance.call import ManualClock
from governance.identity import OwnKeys, TokenVerifier, TrustedIssuer

PUBLIC_URL = "https://gw.example"
ISSUER = "https://id.example"


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Signs what it is told to, with a trusted key unless told otherwise."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": "Ed25519"}, auto_kid=True)
        self.verifier = self.verifying()

    def verifying(self, **trusted: Any) -> TokenVerifier:
        issuer = TrustedIssuer(**{"issuer": ISSUER, "keys": OwnKeys([self.key]), **trusted})
        return TokenVerifier([issuer], PUBLIC_URL, self.clock, leeway_s=10)

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())

    def claims(self, **changed: Any) -> dict[str, Any]:
        claims = {
            "iss": ISSUER,
            "sub": "u-1",
            "aud": f"{PUBLIC_URL}/system",
            "exp": self.now + 300,
            "iat": self.now,
            "client_id": "c-1",
            "scope": "erp.products:read erp.prices:read",
            "accounts": ["ACME"],
            "account_reach": "own",
        }
        claims.update(changed)
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        claims: dict[str, Any] | bytes | None = None,
        *,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
    ) -> bytes:
        key = key or self.key
        joined = {"alg": "Ed25519", "typ": "at+jwt", "kid": key.kid, **(header or {})}
        joined = {name: value for name, value in joined.items() if value is not None}
        payload = claims if isinstance(claims, bytes) else json.dumps(self.claims() if claims is None else claims)
        registry = jws.JWSRegistry(algorithms=[joined["alg"]], strict_check_header=False)
        registry.max_header_length = 100_000
        return jws.serialize_compact(joined, payload, key, registry=registry).encode()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def forge(clock: ManualClock) -> Forge:
    return Forge(clock)


@pytest.fixture
def reason_of(forge: Forge) -> Callable[..., Any]:
    """The reason for which a token is refused at the system tier."""
    import asyncio

    from governance.identity import BadToken

    def reason(token: bytes, verifier: TokenVerifier | None = None, tier: str = "system") -> str:
        with pytest.raises(BadToken) as refused:
            asyncio.run((verifier or forge.verifier).verify(token, tier))
        return refused.value.reason

    return reason
