"""The issuer's addresses over HTTP: RFC 8414, RFC 7517, RFC 9728."""

from __future__ import annotations

from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jws
from joserfc.jwk import KeySet
from litestar import Litestar
from litestar.testing import TestClient

from governance.issuer import routes

SECRET = "correct horse battery"


@pytest.fixture
def client(world: Any) -> Any:
    with TestClient(Litestar(route_handlers=routes(world.issuer), openapi_config=None)) as made:
        yield made


def test_a_token_over_http_verifies_with_the_published_keys(client: Any) -> None:
    answer = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("shop", SECRET))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    published = client.get("/.well-known/jwks.json").json()
    token = answer.json()["access_token"]
    verified = jws.deserialize_compact(token, KeySet.import_key_set(published), algorithms=["Ed25519"])
    assert verified.headers()["typ"] == "at+jwt"


def test_the_published_keys_are_public(client: Any) -> None:
    keys = client.get("/.well-known/jwks.json").json()["keys"]
    assert keys
    assert all("d" not in key for key in keys)
    assert {(key["kty"], key["use"], key["alg"]) for key in keys} == {("OKP", "sig", "Ed25519")}


def test_the_metadata_is_valid(client: Any) -> None:
    document = client.get("/.well-known/oauth-authorization-server").json()
    AuthorizationServerMetadata(document).validate()
    assert document["issuer"] == "https://gw.example"
    assert document["token_endpoint"] == "https://gw.example/oauth/token"
    assert document["jwks_uri"] == "https://gw.example/.well-known/jwks.json"
    assert document["grant_types_supported"] == [
        "client_credentials",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]
    assert "portal.orders:read" in document["scopes_supported"]


@pytest.mark.parametrize("tier", ["system", "process", "experience"])
def test_each_tier_is_a_resource(client: Any, tier: str) -> None:
    document = client.get(f"/.well-known/oauth-protected-resource/{tier}").json()
    assert document["resource"] == f"https://gw.example/{tier}"
    assert document["authorization_servers"] == ["https://gw.example"]
    assert document["bearer_methods_supported"] == ["header"]


def test_another_tier_is_none(client: Any) -> None:
    assert client.get("/.well-known/oauth-protected-resource/other").status_code == 404


def test_errors_over_http(client: Any) -> None:
    wrong = client.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=("shop", "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    large = client.post("/oauth/token", data={"grant_type": "x" * 100_000}, auth=("shop", SECRET))
    assert (large.status_code, large.json()["error"]) == (400, "invalid_request")
    assert client.get("/oauth/token").status_code == 405
