"""There is one way out: nothing but egress opens an outbound HTTP client or connection.

Others speak HTTP as clients of a gateway, not as parts of one: the command line, the prover, and chaos.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, files, parsed

CLIENTS = (
    "aiohttp", "aiosmtplib", "authlib.integrations", "ftplib", "http.client", "httpcore", "httpcore2", "httptools", "httpx", "httpx2",
    "pyreqwest", "requests", "smtplib", "urllib.request", "urllib3", "websockets", "yarl",
)  # fmt: skip
OPENERS = frozenset({"create_connection", "create_unix_connection", "open_connection", "open_unix_connection"})
EGRESS = "governance/egress/"
ALLOWED = {
    EGRESS: "the one way out",
    "gateway/chaos/": "a client of gateways that it starts itself, on this machine",
    "gateway/cli/": "a client of a gateway",
    "gateway/demonstration/": "a client of a gateway",
    "gateway/proving/": "a client of a gateway",
    "governance/prove/": "a client of a gateway",
    "gateway/serving/": "its own processes, on this machine",
    "gateway/embedded/": "asks the store that it started, over its socket",
    "governance/store/": "the store is no HTTP server",
}


def ways_out(tree: ast.Module) -> Iterator[str]:
    """Everything in a module that reaches out."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if reaches_out(alias.name))
            case ast.ImportFrom(module=str(module), names=names):
                yield from (module for _ in names[:1] if reaches_out(module))
                yield from (f"{module}.{alias.name}" for alias in names if f"{module}.{alias.name}" in CLIENTS)
            case ast.Attribute(attr=attr) if attr in OPENERS:
                yield attr
            case _:
                pass


def reaches_out(module: str) -> bool:
    return any(module == client or module.startswith(f"{client}.") for client in CLIENTS)


def allowed(path: Path) -> bool:
    return any(str(path).startswith(place) for place in ALLOWED)


def test_only_egress_reaches_out() -> None:
    found = {str(path): sorted(ways_out(parsed(path))) for path in files(*PACKAGES) if not allowed(path)}
    assert {path: ways for path, ways in found.items() if ways} == {}


@pytest.mark.parametrize("place", sorted(ALLOWED))
def test_every_exception_is_still_needed(place: str) -> None:
    assert any(list(ways_out(parsed(path))) for path in files(*PACKAGES) if str(path).startswith(place))


@pytest.mark.parametrize(
    "planted",
    [
        "import httpx2",
        "import aiohttp.web as w",
        "from aiohttp import ClientSession",
        "from urllib import request",
        "from urllib.request import urlopen",
        "from http.client import HTTPSConnection",
        "from authlib.integrations.httpx_client import AsyncOAuth2Client",
        "async def f():\n    import asyncio\n    await asyncio.open_connection('a', 1)",
        "def f(loop):\n    return loop.create_connection(None, 'a', 1)",
        "import socket\nsocket.create_connection(('a', 1))",
    ],
)
def test_a_planted_way_out_is_found(planted: str) -> None:
    assert list(ways_out(ast.parse(planted)))


@pytest.mark.parametrize("harmless", ["from urllib.parse import quote", "import http", "from http import HTTPStatus"])
def test_what_only_looks_like_one_is_not(harmless: str) -> None:
    assert not list(ways_out(ast.parse(harmless)))
