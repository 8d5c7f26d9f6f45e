"""What is where when the tiers run apart, and what a tier does while the one below is away."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.journeys.clients import PORTAL, Client, an_order, problem
from tests.journeys.conftest import CONFIGURATION
from tests.journeys.gateways import TIERS, Gateway, eventually, running
from tests.journeys.ledgers import discrepancies, read_ledgers

ABOVE = {"system": "process", "process": "experience"}


def open_files(process_id: int, home: Path) -> set[str]:
    """Files below ``home`` that a process has open."""
    found: set[str] = set()
    for link in Path(f"/proc/{process_id}/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if target.startswith(f"{home}/"):
            found.add(target.removeprefix(f"{home}/"))
    return found


def test_each_tier_is_served_once_and_holds_only_its_own_files(gateway: Gateway) -> None:
    held = {tier: open_files(gateway.process(tier).worker(), gateway.home) for tier in TIERS}
    records = {f"systems/{name}.sqlite" for name in ("erp", "crm", "commerce", "payments", "logistics")}
    assert records <= held["system"]
    assert "tiergate.sqlite" in held["process"]
    if gateway.placement == "split":
        for tier in ("experience", "process"):
            assert not any(file.startswith("systems/") for file in held[tier]), "it reaches past the system tier"
        answer = httpx2.get(f"{gateway.url('experience')}/system/erp/v1/products")
        assert problem(answer) == (404, "unknown-path")


def test_a_request_is_one_request_in_every_tier(gateway: Gateway, client: Callable[[str], Client]) -> None:
    request_id = client("portal-demo").get(f"{PORTAL}/products/BRG-6204").headers["request-id"]
    hops = [
        hop
        for process in gateway.processes
        for hop in httpx2.get(f"{process.url}/governance/hops/{request_id}").json()["hops"]
    ]
    assert {hop["tier"] for hop in hops} == set(TIERS)
    inner = {hop["binding"] for hop in hops if hop["tier"] != "experience"}
    assert inner == {"served" if gateway.placement == "split" else "local"}
    for hop in hops:
        assert (
            hop["caller"].partition(".")[0]
            in {
                "experience": {"portal-demo"},
                "process": {"portal"},
                "system": {"catalogue"},
            }[hop["tier"]]
        )
        assert "authorize:scopes" in hop["chain"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("away", ABOVE)
def test_while_a_tier_is_away_reads_say_so_and_orders_wait(tmp_path: Path, away: str) -> None:
    with running(tmp_path, "split", CONFIGURATION) as gateway:
        portal = Client(gateway, "portal-demo")
        body = an_order(f"PO-{uuid4().hex}", ("BRG-6204", 1))
        gateway.process(away).stop()
        refused = portal.get(f"{PORTAL}/products/BRG-6204")
        assert problem(refused) == (503, "unavailable")
        assert int(refused.headers["retry-after"]) >= 1
        if away == "system":  # it may have held the store too, which another process takes over
            eventually("it is accepted", lambda: portal.post(f"{PORTAL}/orders", body, key="while-away").is_success)
        else:
            assert problem(portal.post(f"{PORTAL}/orders", body, key="while-away")) == (503, "unavailable")
        gateway.process(away).start()
        gateway.process(away).wait_until_ready()
        eventually("reads answer", lambda: portal.get(f"{PORTAL}/products/BRG-6204").status_code == 200)
        order_id = portal.post(f"{PORTAL}/orders", body, key="while-away").json()["order_id"]
        order = portal.ended(order_id)
        assert order["status"] == "completed"
        assert discrepancies(read_ledgers(gateway.home), [order]) == []
