"""An embedded issuer with two clients, and requests to its token endpoint."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from governance.call import Answer, ManualClock
from governance.consumers import Consumer, Consumers, ScopeCatalogue, Secret, hash_secret
from governance.identity import TokenVerifier
from governance.issuer import EmbeddedIssuer, KeyRing, TokenRequest

PUBLIC_URL = "https://gw.example"
SECRET = "correct horse battery"

NEXT_SECRET = hash_secret("the secret to come")
CATALOGUE = ScopeCatalogue(
    {
        "portal.orders:read": {"experience"},
        "portal.orders:write": {"experience"},
        "catalogue.products:read": {"process"},
        "erp.products:read": {"system"},
    }
)


class World:
    """The issuer and what stands around it."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock()
        shop = Consumer(
            client_id="shop",
            name="Shop",
            secrets=(Secret.known(SECRET), Secret.hashed(NEXT_SECRET)),
            scopes=frozenset({"portal.orders:read", "portal.orders:write", "catalogue.products:read"}),
            accounts=("ACME",),
            account_reach="subtree",
        )
        bare = Consumer(client_id="bare", name="Bare", secrets=(Secret.known(SECRET),))
        keys = KeyRing(home / "issuer.json", self.clock)
        self.issuer = EmbeddedIssuer(PUBLIC_URL, keys, Consumers([shop, bare]), CATALOGUE, self.clock)
        self.verifier = TokenVerifier([self.issuer.trusted()], PUBLIC_URL, self.clock)

    def ask(self, form: Any, *headers: tuple[str, str], query: str = "") -> Answer:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        given = {name for name, _ in headers}
        kind = () if "content-type" in given else (("content-type", "application/x-www-form-urlencoded"),)
        request = TokenRequest(headers=(*kind, *headers), body=body, query=query, peer="::1")
        return asyncio.run(self.issuer.token(request))

    def granted(self, client_id: str = "shop", **form: str) -> dict[str, Any]:
        answer = self.ask({"grant_type": "client_credentials", **form}, basic(client_id, SECRET))
        assert answer.status == 200, answer.body
        return msgspec.json.decode(answer.body)

    def principal(self, token: str, tier: str) -> Any:
        return asyncio.run(self.verifier.verify(token.encode(), tier)).principal


def basic(client_id: str, secret: str) -> tuple[str, str]:
    return "authorization", "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def basic_of() -> Any:
    return basic
