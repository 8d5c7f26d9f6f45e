"""The whole gateway: its demo user signs in, calls, and is refused once the token is revoked."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from litestar.testing import TestClient

from gateway.app import build
from gateway.settings import SettingsError, load_settings
from governance.consumers import hash_secret

VERIFIER = "v" * 50
CLIENT = ("portal-demo", "portal-demo-secret")
REDIRECT = "http://127.0.0.1:5555/signed-in"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("home")
    with TestClient(build(load_settings({"TIERGATE_HOME": str(home)}, home)), base_url="http://127.0.0.1:8000") as made:
        yield made


def signed_in(gateway: Any, username: str, password: str) -> dict[str, Any]:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    query = urlencode(
        {
            "response_type": "code",
            "client_id": CLIENT[0],
            "redirect_uri": REDIRECT,
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
    )
    page = gateway.get(f"/oauth/authorize?{query}")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    hidden = {name: unescape(value) for name, value in re.findall(r'name="(request|seal)" value="([^"]*)"', page.text)}
    form = {**hidden, "username": username, "password": password, "decision": "allow"}
    sent = gateway.post("/oauth/authorize", data=form, follow_redirects=False)
    assert sent.status_code == 303, sent.text
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return gateway.post("/oauth/token", data=form, auth=CLIENT).json()


def orders(gateway: Any, token: str) -> int:
    answer = gateway.get("/experience/portal/v1/orders", headers={"authorization": f"Bearer {token}"})
    return answer.status_code


def test_the_demo_user_calls_until_the_token_is_revoked(gateway: Any) -> None:
    members = signed_in(gateway, "ada", "ada-secret")
    assert orders(gateway, members["access_token"]) == 200
    assert gateway.post("/oauth/revoke", data={"token": members["refresh_token"]}, auth=CLIENT).status_code == 200
    assert orders(gateway, members["access_token"]) == 401


def test_the_metadata_names_what_is_there(gateway: Any) -> None:
    metadata = gateway.get("/.well-known/oauth-authorization-server").json()
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert gateway.post(urlsplit(metadata[name]).path).status_code == 400
    assert gateway.get(urlsplit(metadata["authorization_endpoint"]).path).status_code == 400
    for resource in metadata["protected_resources"]:
        path = f"/.well-known/oauth-protected-resource{urlsplit(resource).path}"
        assert gateway.get(path).json()["resource"] == resource


def test_users_come_and_go_with_the_settings(gateway: Any, tmp_path: Path) -> None:
    examine = gateway.app.state["reload"]
    file = tmp_path / "tiergate.toml"
    table = f'[users.grace]\npassword = "{hash_secret("a password of hers")}"\nscopes = ["portal.orders:read"]\n'
    file.write_text(table + 'accounts = ["ACME"]\n')
    examine(load_settings({"TIERGATE_HOME": str(tmp_path)}, tmp_path))()
    assert signed_in(gateway, "grace", "a password of hers")["scope"] == "portal.orders:read"
    file.write_text(table.replace("portal.orders", "portal.unknown"))
    with pytest.raises(SettingsError, match="no operation demands the scope"):
        examine(load_settings({"TIERGATE_HOME": str(tmp_path)}, tmp_path))
    assert signed_in(gateway, "grace", "a password of hers")["access_token"]
