"""The operations desk's door: open on this machine, by token from elsewhere, shut behind a proxy."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping

import msgspec
import pytest
from joserfc.jwk import Key

from gateway.composition.application import Tiergate
from gateway.operations_desk import desk_routes
from governance.bindings.edge import Edge
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits
from governance.call import SystemClock
from governance.identity import KeysUnavailable, TokenVerifier, TrustedIssuer
from governance.telemetry import CallMetrics, HopLog
from tests.governance.bindings.sample_gateway import Reply, ask

pytestmark = pytest.mark.anyio
ISSUER = "https://issuer.example"


class Away:
    """The keys of an issuer that does not answer."""

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        raise KeysUnavailable(ISSUER, 3)


def segment(content: Mapping[str, str]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(content)).rstrip(b"=").decode()


TOKEN = f"{segment({'alg': 'ES256', 'typ': 'at+jwt'})}.{segment({'iss': ISSUER})}.c2lnbmF0dXJl"


async def asked(**headers: str) -> Reply:
    routes = Routes()
    routes.seal()
    verifier = TokenVerifier([TrustedIssuer(issuer=ISSUER, keys=Away())], "http://t", SystemClock())
    desk = Tiergate(Edge(routes, WireLimits()), desk_routes((), CallMetrics(), HopLog(), verifier))
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return await ask(desk, "GET", "/metrics", raw_headers=sent)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:8000", "[::1]:8000"])
async def test_it_is_open_on_this_machine(host: str) -> None:
    assert (await asked(host=host)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "gateway.example"},
        {"host": "127.0.0.1.rebound.example:8000"},
        {"host": "localhost", "x_forwarded_for": "203.0.113.7"},
        {"host": "localhost", "x_forwarded_host": "gateway.example"},
        {"host": "localhost", "forwarded": "for=203.0.113.7"},
        {"host": "localhost", "via": "1.1 proxy"},
        {"host": "localhost", "x_real_ip": "203.0.113.7"},
        {},
    ],
)
async def test_what_comes_through_others_needs_a_token(headers: dict[str, str]) -> None:
    refused = await asked(**headers)
    refused.problem(401, "unauthenticated")
    assert refused.headers["www-authenticate"] == 'Bearer realm="tiergate"'


async def test_an_issuer_that_is_away_is_no_error_of_ours() -> None:
    refused = await asked(host="gateway.example", authorization=f"Bearer {TOKEN}")
    refused.problem(503, "unavailable")
    assert refused.headers["retry-after"] == "1"
