"""RFC 7662 against a real endpoint on loopback: opaque tokens, a further check of JWTs, and an issuer that is away."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from governance.identity import BadToken, Credentials, Introspection, KeysUnavailable, OwnKeys
from governance.identity.fetching import DocumentReader
from governance.identity.verifier import TokenVerifier

pytestmark = pytest.mark.anyio


class Endpoint:
    """What says which tokens count."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.status = b"200 OK"
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        form = parse_qs((await reader.readexactly(int(fields["content-length"]))).decode())
        self.asked.append((head[0], form))
        assert fields["content-type"] == "application/x-www-form-urlencoded"
        assert fields["authorization"].startswith("basic ")
        answer = self.answers.get(form["token"][0], {"active": False})
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        writer.write(
            b"HTTP/1.1 %s\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s" % (self.status, len(body), body)
        )
        await writer.drain()
        writer.close()


@pytest.fixture
async def endpoint(anyio_backend: str) -> AsyncIterator[Endpoint]:
    made = Endpoint()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/introspect"
    yield made
    server.close()


def verifier_of(forge: Any, endpoint: Endpoint, use: Any) -> TokenVerifier:
    asking = Introspection(
        "https://id.example",
        Credentials("gate", "s:e cret"),
        use,
        url=endpoint.url,
        reader=DocumentReader(timeout_s=2),
    )
    return forge.verifying(introspection=asking, keys=OwnKeys([forge.key]))


def active(forge: Any, **changed: Any) -> dict[str, Any]:
    return {"active": True, **forge.claims(**changed)}


async def reason_of(verifier: TokenVerifier, token: bytes) -> str:
    with pytest.raises(BadToken) as refused:
        await verifier.verify(token, "system")
    return refused.value.reason


@pytest.mark.rule("RFC 7662 §2.2", "An active token is one the issuer calls active")
async def test_an_opaque_token_counts_while_its_issuer_says_so(forge: Any, endpoint: Endpoint) -> None:
    verifier = verifier_of(forge, endpoint, "opaque")
    endpoint.answers["opaque-1"] = active(forge)
    for _ in range(2):
        identity = await verifier.verify(b"opaque-1", "system")
        assert (identity.principal.subject, identity.principal.accounts.ids) == ("u-1", ("ACME",))
    assert len(endpoint.asked) == 2
    assert endpoint.asked[0] == (
        "post /introspect http/1.1",
        {"token": ["opaque-1"], "token_type_hint": ["access_token"]},
    )
    endpoint.answers.clear()
    assert await reason_of(verifier, b"opaque-1") == "revoked"


@pytest.mark.rule("RFC 7009 §2.2", "A token revoked at its issuer is refused at the next call")
async def test_a_revoked_jwt_is_refused_at_the_next_call(forge: Any, endpoint: Endpoint) -> None:
    verifier, token = verifier_of(forge, endpoint, "always"), forge.token()
    endpoint.answers[token.decode()] = {"active": True}
    await verifier.verify(token, "system")
    assert verifier.known(token, "system") is None
    del endpoint.answers[token.decode()]
    assert await reason_of(verifier, token) == "revoked"


async def test_a_bad_jwt_is_refused_before_its_issuer_is_asked(forge: Any, endpoint: Endpoint) -> None:
    verifier = verifier_of(forge, endpoint, "always")
    token = forge.token()
    assert await reason_of(verifier, token[:-10] + b"A" * 10) == "signature"
    assert await reason_of(verifier, forge.token(forge.claims(exp=1))) == "expired"
    assert endpoint.asked == []


async def test_a_jwt_needs_no_question_where_only_opaque_tokens_do(forge: Any, endpoint: Endpoint) -> None:
    verifier, token = verifier_of(forge, endpoint, "opaque"), forge.token()
    await verifier.verify(token, "system")
    assert verifier.known(token, "system") is not None
    assert endpoint.asked == []


@pytest.mark.rule("RFC 7662 §4", "The resource checks issuer, audience and times of the answer itself")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"aud": "https://gw.example/process"}, "audience"),
        ({"aud": None}, "claims"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"exp": 1}, "expired"),
        ({"exp": "soon"}, "claims"),
        ({"nbf": 4_000_000_000}, "not-yet"),
        ({"token_type": "N_A"}, "type"),
        ({"accounts": [7]}, "claims"),
        ({"sub": ""}, "claims"),
    ],
)
async def test_what_the_issuer_says_is_checked(
    forge: Any, endpoint: Endpoint, changed: dict[str, Any], reason: str
) -> None:
    endpoint.answers["opaque-1"] = active(forge, **changed)
    assert await reason_of(verifier_of(forge, endpoint, "opaque"), b"opaque-1") == reason


async def test_a_client_on_its_own_is_its_own_subject(forge: Any, endpoint: Endpoint) -> None:
    endpoint.answers["opaque-1"] = active(forge, sub=None, exp=None, iat=None, iss=None)
    identity = await verifier_of(forge, endpoint, "opaque").verify(b"opaque-1", "system")
    assert identity.principal.subject == identity.principal.client_id == "c-1"


@pytest.mark.parametrize(
    "answer",
    [b"", b"[]", b"nonsense", {"active": "true"}, {"active": 1}, {}, b'{"active":true,"x":"' + b"x" * 70_000 + b'"}'],
)
async def test_what_is_no_answer_is_never_open(forge: Any, endpoint: Endpoint, answer: Any) -> None:
    endpoint.answers["opaque-1"] = answer
    with pytest.raises(KeysUnavailable):
        await verifier_of(forge, endpoint, "opaque").verify(b"opaque-1", "system")


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"302 Found", b"503 Service Unavailable"])
async def test_another_status_is_never_open(forge: Any, endpoint: Endpoint, status: bytes) -> None:
    endpoint.answers["opaque-1"] = active(forge)
    endpoint.status = status
    with pytest.raises(KeysUnavailable):
        await verifier_of(forge, endpoint, "opaque").verify(b"opaque-1", "system")
    assert len(endpoint.asked) == 1


@pytest.mark.rule("RFC 6749 §2.3.1", "Client credentials are form-encoded before they are Basic")
def test_credentials_are_spelled_as_oauth_says_and_never_shown() -> None:
    made = Credentials("gate", "s:e cret")
    assert b64decode(made.header.removeprefix("Basic ")) == b"gate:s%3Ae+cret"
    assert "cret" not in repr(made)


async def test_an_oversized_token_is_never_asked_about(forge: Any, endpoint: Endpoint) -> None:
    assert await reason_of(verifier_of(forge, endpoint, "opaque"), b"o" * 8_193) == "oversized"
    assert endpoint.asked == []


# Tokens of providers that do not type them


@pytest.mark.rule("RFC 8725 §3.12", "Where tokens are not typed, ID tokens are told apart by their claims")
@pytest.mark.parametrize(
    "claims", [{"at_hash": "x"}, {"c_hash": "x"}, {"events": {}}, {"typ": "ID"}, {"typ": "Refresh"}]
)
async def test_an_id_token_is_no_access_token_even_untyped(forge: Any, claims: dict[str, Any]) -> None:
    verifier = forge.verifying(token_type="jwt")
    assert await reason_of(verifier, forge.token(forge.claims(**claims), header={"typ": "JWT"})) == "type"
    await verifier.verify(forge.token(forge.claims(typ="Bearer"), header={"typ": "JWT"}), "system")
    assert await reason_of(verifier, forge.token(header={"typ": None})) == "type"


async def test_names_of_claims_and_leeway_are_the_issuers(forge: Any) -> None:
    verifier = forge.verifying(client_claim="azp", scope_claim="scp", leeway_s=0.0)
    claims = forge.claims(client_id=None, azp="app", scp=["a.b:read", "a.c:read"])
    identity = await verifier.verify(forge.token(claims), "system")
    assert (identity.principal.client_id, identity.principal.scopes) == ("app", {"a.b:read", "a.c:read"})
    assert await reason_of(verifier, forge.token({**claims, "exp": forge.now})) == "expired"
