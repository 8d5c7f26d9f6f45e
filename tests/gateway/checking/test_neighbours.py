"""Issuers and other processes: who answers as it should, who does not yet, and who is somebody else."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from gateway.checking.neighbours import examine_issuer, examine_place
from gateway.settings import ExternalIssuer

pytestmark = pytest.mark.anyio


@contextmanager
def answering(pages: Mapping[str, tuple[int, Any]]) -> Generator[str]:
    """A server of these pages, path to status and JSON; its address."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, document = pages.get(self.path, (404, {}))
            body = json.dumps(document).replace("HERE", here).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any, **kwargs: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        here = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield here
        server.shutdown()


KEYS = {"keys": [RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True).as_dict(private=False)]}


@pytest.mark.parametrize(
    ("metadata", "keys", "result"),
    [
        ({"issuer": "HERE", "jwks_uri": "HERE/keys"}, KEYS, "ok"),
        ({"issuer": "HERE/other", "jwks_uri": "HERE/keys"}, KEYS, "warning"),
        ({"issuer": "HERE", "jwks_uri": "HERE/keys"}, {"keys": []}, "warning"),
    ],
)
async def test_an_issuer_is_asked_for_its_own_metadata_and_keys(metadata: Any, keys: Any, result: str) -> None:
    with answering({"/.well-known/openid-configuration": (200, metadata), "/keys": (200, keys)}) as here:
        found = await examine_issuer(ExternalIssuer(issuer=here))
    assert found.result == result


@pytest.mark.parametrize(("status", "result"), [(200, "ok"), (503, "warning"), (404, "failed"), (302, "failed")])
async def test_a_process_of_another_tier_says_that_it_is_ready(status: int, result: str) -> None:
    with answering({"/readyz": (status, {})}) as here:
        found = await examine_place("system", here)
    assert (found.what, found.result) == ("placement.system", result)
