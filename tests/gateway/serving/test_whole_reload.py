"""The whole gateway with two workers: a client's secret, plan and being there change while it serves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from gateway.supervisor import APP
from tests.gateway.serving.conftest import Start
from tests.gateway.serving.gateway_process import Gateway, promptly
from tests.gateway.serving.test_reload import TAKES_EFFECT_S, write

FIRST, SECOND = "the-first-secret-of-shop", "the-second-secret-of-shop"
SHOP = """
[consumers.shop]
secrets = [{secrets}]
scopes = ["portal.products:read"]
accounts = ["ACME"]
plan = "small"

[plans.small]
experience = "{rate}"
"""
ENOUGH = 6
"""Calls on connections of their own, so that both workers answer some of them; few enough to be no flood of failures."""


def test_secrets_and_plans_take_effect_in_every_worker_within_two_seconds(tmp_path: Path, start: Start) -> None:
    def state(*secrets: str, rate: str) -> None:
        write(tmp_path, SHOP.format(secrets=", ".join(f'"file:{name}"' for name in secrets), rate=rate))

    (tmp_path / "one").write_text(FIRST)
    (tmp_path / "two").write_text(SECOND)
    state("one", rate="500/1h")
    gateway = start(tmp_path / "home", "--workers", "2", app=APP).ready()
    held = token(gateway, FIRST)
    assert allowed(gateway, held) == '"experience";q=500;w=3600'
    assert statuses(gateway, SECOND) == {401}

    def taken_over(times: int) -> None:
        promptly(lambda: gateway.log().count("Settings reloaded") == times, TAKES_EFFECT_S)

    state("one", "two", rate="720/1h")
    taken_over(1)
    assert statuses(gateway, FIRST) == statuses(gateway, SECOND) == {200}
    assert policies(gateway, held) == {'"experience";q=720;w=3600'}

    state("two", rate="720/1h")
    taken_over(2)
    assert statuses(gateway, FIRST) == {401}
    assert statuses(gateway, SECOND) == {200}

    (tmp_path / "two").write_text("another-secret-in-the-same-file")
    taken_over(3)
    assert statuses(gateway, SECOND) == {401}
    assert gateway.stop() == 0


def statuses(gateway: Gateway, secret: str) -> set[int]:
    return {asked(lambda: token(gateway, secret)) for _ in range(ENOUGH)}


def policies(gateway: Gateway, held: str) -> set[str]:
    return {allowed(gateway, held) for _ in range(4 * ENOUGH)}


def asked(call: Callable[[], str]) -> int:
    try:
        call()
    except HTTPError as refusal:
        return refusal.code
    return 200


def token(gateway: Gateway, secret: str) -> str:
    basic = base64.b64encode(f"shop:{secret}".encode()).decode()
    request = Request(
        f"{gateway.url}/oauth/token",
        data=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    with urlopen(request, timeout=40) as answer:
        return str(json.load(answer)["access_token"])


def allowed(gateway: Gateway, held: str) -> str:
    request = Request(
        f"{gateway.url}/experience/portal/v1/products?limit=1", headers={"Authorization": f"Bearer {held}"}
    )
    with urlopen(request, timeout=40) as answer:
        return str(answer.headers["RateLimit-Policy"])
