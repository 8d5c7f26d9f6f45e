"""A certified third-party provider issues the tokens of a running gateway, and changes its key in the middle."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from tests.identity_provider import provider as providers
from tests.identity_provider.provider import SECRET, Provider
from tests.journeys.gateways import Gateway, eventually, running

pytestmark = [pytest.mark.check, pytest.mark.timeout(300)]
PRODUCTS = "/system/erp/v1/products"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providers.running() as it:
        yield it


@pytest.fixture(scope="module")
def gateway(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "secret").write_text(SECRET)
    configuration = f"""
[issuer]
embedded = true

[[issuers]]
issuer = "{provider.issuer}"
algorithms = ["ES256"]
keys_cooldown_s = 1
introspection = "opaque"
introspection_client_id = "shop"
introspection_client_secret = "file:{folder / "secret"}"
"""
    with running(folder, "co-located", configuration) as it:
        yield it


def status(gateway: Gateway, token: str, path: str = PRODUCTS) -> int:
    return httpx2.get(gateway.url() + path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_its_tokens_open_what_they_name_and_nothing_else(gateway: Gateway, provider: Provider) -> None:
    token = provider.token(f"{gateway.url()}/system")
    assert status(gateway, token) == 200
    assert status(gateway, token, "/system/erp/v1/prices") in (403, 404)
    assert status(gateway, token, "/experience/portal/v1/products") == 401
    assert status(gateway, provider.token("https://elsewhere.example/system")) == 401


def test_its_keys_change_while_the_gateway_runs(gateway: Gateway, provider: Provider) -> None:
    resource = f"{gateway.url()}/system"
    assert status(gateway, provider.token(resource)) == 200
    unused = provider.token(resource)
    provider.rotate()
    fresh = provider.token(resource)
    eventually("the new key verifies", lambda: status(gateway, fresh) == 200)
    assert status(gateway, unused) == 401


def test_an_opaque_token_counts_until_it_is_revoked(gateway: Gateway, provider: Provider) -> None:
    token = provider.token(f"{gateway.url()}/system/opaque")
    assert "." not in token
    assert [status(gateway, token) for _ in range(2)] == [200, 200]
    provider.revoke(token)
    assert status(gateway, token) == 401
    assert status(gateway, "never-given") == 401


def test_the_embedded_issuer_serves_beside_it(gateway: Gateway, provider: Provider) -> None:
    metadata = httpx2.get(f"{gateway.url()}/.well-known/oauth-protected-resource/system").json()
    assert metadata["authorization_servers"] == [gateway.url(), provider.issuer]
