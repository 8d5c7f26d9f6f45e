"""Keys of an issuer elsewhere, against a real server on loopback that counts, hangs, lies and dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey

from governance.call import ManualClock
from governance.identity import BadToken, KeysUnavailable, RemoteKeys, TokenVerifier, TrustedIssuer
from governance.identity.fetching import DocumentReader
from governance.identity.remote_keys import KeyTimes

pytestmark = pytest.mark.anyio
TIMES = KeyTimes(fresh_s=600, serve_stale_s=3_600, cooldown_s=30)


class Provider:
    """An issuer's web server."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.came = asyncio.Event()
        self.held = asyncio.Event()
        self.held.set()
        self.url = ""

    def publish(self, path: str, document: Any, status: str = "200 OK", extra: str = "") -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{extra}\r\n"
        self.answers[path] = head.encode() + body

    def publish_keys(self, *keys: Any) -> None:
        self.publish("/jwks", {"keys": [key.as_dict(private=False) for key in keys]})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.asked.append(path)
        self.came.set()
        await self.held.wait()
        writer.write(
            self.answers.get(path, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def provider(anyio_backend: str) -> AsyncIterator[Provider]:
    made = Provider()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    made.held.set()
    server.close()


@pytest.fixture
def keys(provider: Provider, clock: ManualClock) -> RemoteKeys:
    reader = DocumentReader(timeout_s=0.3, limit_bytes=20_000)
    return RemoteKeys(provider.url, clock, jwks_url=f"{provider.url}/jwks", times=TIMES, reader=reader)


def new_key() -> OKPKey:
    return OKPKey.generate_key("Ed25519", auto_kid=True)


async def test_keys_are_fetched_once_however_many_wait(provider: Provider, keys: RemoteKeys) -> None:
    key = new_key()
    provider.publish_keys(key)
    found = await asyncio.gather(*(keys.find(key.kid, "Ed25519") for _ in range(50)))
    assert {one.kid for one in found if one} == {key.kid}
    assert provider.asked == ["/jwks"]


async def test_a_caller_that_gives_up_does_not_stop_the_others(provider: Provider, keys: RemoteKeys) -> None:
    key = new_key()
    provider.publish_keys(key)
    provider.held.clear()
    first = asyncio.create_task(keys.find(key.kid, "Ed25519"))
    second = asyncio.create_task(keys.find(key.kid, "Ed25519"))
    await provider.came.wait()
    first.cancel()
    provider.held.set()
    assert (await second) is not None
    assert provider.asked == ["/jwks"]


async def test_an_unknown_kid_costs_one_fetch_per_cooldown(
    provider: Provider, keys: RemoteKeys, clock: ManualClock
) -> None:
    key = new_key()
    provider.publish_keys(key)
    await keys.find(key.kid, "Ed25519")
    clock.advance(31)
    unknown = await asyncio.gather(*(keys.find(f"k-{number}", "Ed25519") for number in range(100)))
    assert unknown == [None] * 100
    assert len(provider.asked) == 2
    clock.advance(29)
    assert await keys.find("k-x", "Ed25519") is None
    assert len(provider.asked) == 2
    clock.advance(2)
    assert await keys.find("k-x", "Ed25519") is None
    assert len(provider.asked) == 3


@pytest.mark.rule("RFC 9068 §4", "Keys are obtained from the issuer and follow its rotation")
async def test_rotation_needs_no_restart(provider: Provider, keys: RemoteKeys, clock: ManualClock) -> None:
    old, new = new_key(), new_key()
    provider.publish_keys(old)
    await keys.find(old.kid, "Ed25519")
    provider.publish_keys(new)
    clock.advance(31)
    found = await keys.find(new.kid, "Ed25519")
    assert found is not None
    assert found.kid == new.kid
    assert await keys.find(old.kid, "Ed25519") is None


async def test_a_withdrawn_key_stops_to_count_when_the_set_is_no_longer_fresh(
    provider: Provider, keys: RemoteKeys, clock: ManualClock
) -> None:
    old, new = new_key(), new_key()
    provider.publish_keys(old)
    await keys.find(old.kid, "Ed25519")
    provider.publish_keys(new)
    clock.advance(599)
    assert await keys.find(old.kid, "Ed25519") is not None
    clock.advance(2)
    assert await keys.find(old.kid, "Ed25519") is None


async def test_while_the_issuer_is_away_the_last_keys_serve_for_the_stated_time(
    provider: Provider, keys: RemoteKeys, clock: ManualClock
) -> None:
    key = new_key()
    provider.publish_keys(key)
    await keys.find(key.kid, "Ed25519")
    provider.publish("/jwks", b"", "503 Service Unavailable")
    clock.advance(3_599)
    assert await keys.find(key.kid, "Ed25519") is not None
    with pytest.raises(KeysUnavailable):
        await keys.find("new-kid", "Ed25519")
    clock.advance(2)
    with pytest.raises(KeysUnavailable) as away:
        await keys.find(key.kid, "Ed25519")
    assert 1 <= away.value.retry_after_s <= 30
    provider.publish_keys(key)
    clock.advance(30)
    assert await keys.find(key.kid, "Ed25519") is not None


async def test_an_issuer_that_never_answered_is_asked_once_per_cooldown(
    provider: Provider, keys: RemoteKeys, clock: ManualClock
) -> None:
    for _ in range(5):
        with pytest.raises(KeysUnavailable):
            await keys.find("k", "Ed25519")
    assert len(provider.asked) == 1
    clock.advance(30)
    with pytest.raises(KeysUnavailable):
        await keys.find("k", "Ed25519")
    assert len(provider.asked) == 2


async def test_a_redirect_is_not_followed(provider: Provider, keys: RemoteKeys) -> None:
    provider.publish("/jwks", b"", "302 Found", f"location: {provider.url}/elsewhere\r\n")
    with pytest.raises(KeysUnavailable):
        await keys.find("k", "Ed25519")
    assert provider.asked == ["/jwks"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"nonsense",
        b"\xff",
        b'{"keys":7}',
        b'{"keys":[]}',
        b'{"keys":[7,null,{}]}',
        b"[" * 9_000,
        b"x" * 20_001,
    ],
)
async def test_a_document_that_is_no_key_set_gives_no_keys(
    provider: Provider, keys: RemoteKeys, document: bytes
) -> None:
    provider.publish("/jwks", document)
    with pytest.raises(KeysUnavailable):
        await keys.find("k", "Ed25519")


async def test_an_issuer_that_hangs_is_left(provider: Provider, keys: RemoteKeys) -> None:
    provider.publish_keys(new_key())
    provider.held.clear()
    with pytest.raises(KeysUnavailable):
        await keys.find("k", "Ed25519")


async def test_keys_that_are_not_understood_do_not_spoil_the_set(provider: Provider, keys: RemoteKeys) -> None:
    good = new_key()
    shared = OctKey.generate_key(256).as_dict(private=True)
    odd = [{"kty": "AKP", "kid": "pq"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {**shared, "kid": "hmac"}]
    provider.publish("/jwks", {"keys": [*odd, good.as_dict(private=False)]})
    assert await keys.find(good.kid, "Ed25519") is not None
    assert await keys.find("hmac", "HS256") is None


async def test_a_key_fits_its_own_algorithm_only(provider: Provider, keys: RemoteKeys) -> None:
    key = ECKey.generate_key("P-256", auto_kid=True)
    provider.publish_keys(key)
    assert await keys.find(key.kid, "ES256") is not None
    for algorithm in ("ES384", "RS256", "Ed25519", "HS256"):
        assert await keys.find(key.kid, algorithm) is None


@pytest.mark.parametrize("place", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"])
async def test_the_key_set_is_found_in_the_metadata(provider: Provider, clock: ManualClock, place: str) -> None:
    key = new_key()
    provider.publish_keys(key)
    provider.publish(place, {"issuer": provider.url, "jwks_uri": f"{provider.url}/jwks"})
    assert await RemoteKeys(provider.url, clock).find(key.kid, "Ed25519") is not None


@pytest.mark.rule("RFC 8414 §3.3", "Metadata that names another issuer is not used")
@pytest.mark.parametrize("metadata", [{"issuer": "https://evil.example"}, {}, {"jwks_uri": 7}])
async def test_metadata_of_another_issuer_is_refused(
    provider: Provider, clock: ManualClock, metadata: dict[str, Any]
) -> None:
    provider.publish_keys(new_key())
    provider.publish("/.well-known/openid-configuration", {"jwks_uri": f"{provider.url}/jwks", **metadata})
    with pytest.raises(KeysUnavailable):
        await RemoteKeys(provider.url, clock).find("k", "Ed25519")
    assert "/jwks" not in provider.asked


@pytest.mark.rule("RFC 8725 §3.10", "jku and x5u cause no request")
async def test_headers_of_a_token_cause_no_request(provider: Provider, keys: RemoteKeys, forge: Any) -> None:
    provider.publish_keys(forge.key)
    issuer = TrustedIssuer(issuer="https://id.example", keys=keys)
    verifier = TokenVerifier([issuer], "https://gw.example", forge.clock)
    own = new_key()
    provider.publish("/planted", {"keys": [own.as_dict(private=False)]})
    for name in ("jku", "x5u"):
        with pytest.raises(BadToken):
            await verifier.verify(forge.token(key=own, header={name: f"{provider.url}/planted"}), "system")
        await verifier.verify(forge.token(header={name: f"{provider.url}/planted"}), "system")
    assert set(provider.asked) == {"/jwks"}
