"""The cache of verified tokens: bounded, never longer than the token, and only what verified."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from governance.call import ManualClock, Principal
from governance.identity import BadToken, Identity, OwnKeys, TokenVerifier, TrustedIssuer
from governance.identity.token_cache import TokenCache

SOMEBODY = Identity(principal=Principal(subject="u", client_id="c"), on_behalf_of=Principal(subject="u", client_id="c"))


def test_a_verified_token_is_known_until_it_expires(forge: Any) -> None:
    token = forge.token()
    assert forge.verifier.known(token, "system") is None
    identity = asyncio.run(forge.verifier.verify(token, "system"))
    assert forge.verifier.known(token, "system") is identity
    forge.clock.advance(309)
    assert forge.verifier.known(token, "system") is identity
    forge.clock.advance(1)
    assert forge.verifier.known(token, "system") is None
    with pytest.raises(BadToken, match="expired"):
        asyncio.run(forge.verifier.verify(token, "system"))


def test_a_bad_token_is_not_remembered(forge: Any) -> None:
    with pytest.raises(BadToken):
        asyncio.run(forge.verifier.verify(forge.token(forge.claims(aud="else")), "system"))
    assert len(forge.verifier.cache_of("system")) == 0


def test_the_least_recently_used_goes_first(clock: ManualClock) -> None:
    cache = TokenCache(clock, 2)
    later = clock.now() + timedelta(hours=1)
    cache.put(b"a", SOMEBODY, later)
    cache.put(b"b", SOMEBODY, later)
    assert cache.get(b"a") is SOMEBODY
    cache.put(b"c", SOMEBODY, later)
    assert [cache.get(token) for token in (b"a", b"b", b"c")] == [SOMEBODY, None, SOMEBODY]
    assert len(cache) == 2


def test_the_verifier_keeps_to_its_bound(forge: Any) -> None:
    issuer = TrustedIssuer(issuer="https://id.example", keys=OwnKeys([forge.key]))
    verifier = TokenVerifier([issuer], "https://gw.example", forge.clock, cache_size=3)
    for number in range(5):
        asyncio.run(verifier.verify(forge.token(forge.claims(sub=f"u-{number}")), "system"))
    assert len(verifier.cache_of("system")) == 3
