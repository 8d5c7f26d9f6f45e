"""Hop tokens: one operation, 60 seconds, and never taken for a user's token nor the reverse."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from msgspec import Struct

from governance.call import Accounts, Principal
from governance.contract import Contract, operation_of, read
from governance.identity import BadToken, HopTokens, KeyFile, OwnKeys, TokenVerifier, TrustedIssuer, hop_audience

USER = Principal(
    subject="u-1",
    client_id="c-1",
    scopes=frozenset({"portal.orders:read", "portal.products:read"}),
    accounts=Accounts(ids=("ACME", "ACME-2"), reach="subtree"),
    expires_at=1.0,
)


class Part(Struct, frozen=True):
    """A part."""

    name: str


class PartsV1(Contract, Protocol, owner="Tests", folder="system_apis.parts.v1"):
    """Parts."""

    @read("/parts", scope="parts.parts:read", public_because="Sample.")
    async def get_part(self) -> Part:
        """One part."""
        ...


GET_PART = operation_of(PartsV1.get_part)


@pytest.fixture
def hop_key(tmp_path: Path) -> OKPKey:
    return KeyFile(tmp_path / "hop.json").load_or_create()[0]


@pytest.fixture
def hops(forge: Any, hop_key: OKPKey) -> HopTokens:
    return HopTokens([hop_key], forge.clock)


@pytest.fixture
def verifier(forge: Any, hops: HopTokens) -> TokenVerifier:
    users = TrustedIssuer(issuer="https://id.example", keys=OwnKeys([forge.key]))
    return TokenVerifier([users, hops.trusted("https://gw.example")], "https://gw.example", forge.clock)


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_it_carries_user_and_calling_api(hops: HopTokens, verifier: TokenVerifier) -> None:
    token = hops.token_for(USER, "orders.v1", GET_PART).encode()
    identity = asyncio.run(verifier.verify(token, "system"))
    assert identity.principal.acting_api == "orders.v1"
    assert identity.principal.scopes == {"parts.parts:read"}
    assert identity.principal.accounts == identity.on_behalf_of.accounts == USER.accounts
    assert (identity.on_behalf_of.subject, identity.on_behalf_of.client_id) == ("u-1", "c-1")
    assert identity.on_behalf_of.scopes == USER.scopes
    assert identity.on_behalf_of.acting_api is None


def test_it_says_what_the_design_says(hops: HopTokens) -> None:
    claims = claims_of(hops.token_for(USER, "orders.v1", GET_PART))
    assert claims["aud"] == hop_audience("system")
    assert (claims["sub"], claims["act"], claims["scope"]) == ("u-1", {"sub": "orders.v1"}, "parts.parts:read")
    assert claims["exp"] - claims["iat"] == 60


def test_it_is_cached_by_user_api_and_operation(forge: Any, hops: HopTokens) -> None:
    first = hops.token_for(USER, "orders.v1", GET_PART)
    forge.clock.advance(29)
    assert hops.token_for(USER, "orders.v1", GET_PART) is first
    assert hops.token_for(USER, "catalogue.v1", GET_PART) != first
    forge.clock.advance(1)
    renewed = hops.token_for(USER, "orders.v1", GET_PART)
    assert claims_of(renewed)["exp"] == claims_of(first)["exp"] + 30


def test_it_expires(forge: Any, hops: HopTokens, verifier: TokenVerifier) -> None:
    token = hops.token_for(USER, "orders.v1", GET_PART).encode()
    asyncio.run(verifier.verify(token, "system"))
    forge.clock.advance(70)
    with pytest.raises(BadToken, match="expired"):
        asyncio.run(verifier.verify(token, "system"))


@pytest.mark.parametrize("tier", ["process", "experience", "governance"])
def test_it_opens_its_tier_only(hops: HopTokens, verifier: TokenVerifier, tier: str) -> None:
    token = hops.token_for(USER, "orders.v1", GET_PART).encode()
    with pytest.raises(BadToken, match="audience"):
        asyncio.run(verifier.verify(token, tier))


def test_no_hop_ever_opens_an_experience(hops: HopTokens, verifier: TokenVerifier) -> None:
    for audience in ("https://gw.example/experience", hop_audience("experience")):
        token = hops.token_for(USER, "orders.v1", GET_PART, audience).encode()
        with pytest.raises(BadToken, match="audience"):
            asyncio.run(verifier.verify(token, "experience"))


def forged(header: dict[str, Any], claims: dict[str, Any], key: Any) -> bytes:
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["Ed25519"]).encode()


def test_a_users_token_is_never_a_hop_token(
    forge: Any, hops: HopTokens, hop_key: OKPKey, verifier: TokenVerifier, reason_of: Callable[..., str]
) -> None:
    stolen = claims_of(hops.token_for(USER, "orders.v1", GET_PART))
    header = {"alg": "Ed25519", "typ": "hop+jwt", "kid": forge.key.kid}
    assert reason_of(forged(header, forge.claims(act={"sub": "orders.v1"}), forge.key), verifier) == "type"
    assert reason_of(forged(header, stolen, forge.key), verifier) == "key"
    assert reason_of(forged({**header, "kid": hop_key.kid}, stolen, forge.key), verifier) == "signature"


def test_a_hop_token_is_never_a_users_token(
    forge: Any, hops: HopTokens, hop_key: OKPKey, verifier: TokenVerifier, reason_of: Callable[..., str]
) -> None:
    header = {"alg": "Ed25519", "typ": "at+jwt", "kid": hop_key.kid}
    assert reason_of(forged(header, forge.claims(), hop_key), verifier) == "key"
    stolen = claims_of(hops.token_for(USER, "orders.v1", GET_PART))
    assert reason_of(forged(header, stolen, hop_key), verifier) == "type"


def test_a_hop_token_without_its_api_is_refused(
    hops: HopTokens, hop_key: OKPKey, verifier: TokenVerifier, reason_of: Callable[..., str]
) -> None:
    claims = claims_of(hops.token_for(USER, "orders.v1", GET_PART))
    del claims["act"]
    header = {"alg": "Ed25519", "typ": "hop+jwt", "kid": hop_key.kid}
    assert reason_of(forged(header, claims, hop_key), verifier) == "claims"


def test_a_verifier_that_does_not_know_the_gateways_key_refuses_hops(
    forge: Any, hops: HopTokens, reason_of: Callable[..., str]
) -> None:
    assert reason_of(hops.token_for(USER, "orders.v1", GET_PART).encode(), forge.verifier) == "issuer"
