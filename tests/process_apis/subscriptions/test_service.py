"""Subscriptions over HTTP: who may do what, what is shown once, and what a replay brings back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.governance.egress.vendor import Asked
from tests.process_apis.subscriptions.partner import PATH, Partner, partner


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with partner(tmp_path_factory.mktemp("home")) as found:
        yield found


def test_the_secret_is_shown_by_the_call_that_made_it_and_never_again(world: Partner) -> None:
    made = world.subscribe(key="first", types=["order.*"])
    again = world.subscribe(key="first", types=["order.*"])
    assert again == made
    path = f"{PATH}/{made['subscription_id']}"
    shown = world.world.get("acme", path)
    assert shown == made["subscription"]
    assert made["secret"] not in str([shown, world.world.collect("acme", PATH)])
    assert made["secret"].endswith(shown["secret_hint"])


def test_what_happens_is_delivered_and_logged(world: Partner) -> None:
    made = world.subscribe(key="delivered", subjects=["O-D"])
    world.vendor.asked.clear()
    world.happen("O-D")
    world.eventually(lambda: any(b'"O-D"' in one.body for one in world.vendor.asked))
    (asked,) = [one for one in world.vendor.asked if _of(made, one)]
    event_id = asked.headers["webhook-id"]
    path = f"{PATH}/{made['subscription_id']}/deliveries"

    while world.world.get("acme", f"{path}/{event_id}")["delivery"]["status"] == "waiting":
        world.world.run(asyncio.sleep(0.01))
    detail = world.world.get("acme", f"{path}/{event_id}")
    assert (detail["delivery"]["status"], detail["delivery"]["subject"]) == ("delivered", "O-D")
    assert [(one["outcome"], one["status"]) for one in detail["log"]] == [("delivered", 204)]
    assert [one["event_id"] for one in world.world.collect("acme", path, limit=1)] == [event_id]
    assert world.world.get("acme", path, status="dead")["items"] == []


def _of(made: Any, asked: Asked) -> bool:
    try:
        Webhook(made["secret"]).verify(asked.body, dict(asked.headers))
    except WebhookVerificationError:  # of another subscription
        return False
    return True


def test_another_account_finds_nothing(world: Partner) -> None:
    made = world.subscribe(key="mine")
    path = f"/{made['subscription_id']}"
    for suffix in ("", "/deliveries", "/deliveries/evt-" + "a" * 26):
        assert world.world.ask("globex", "GET", f"{PATH}{path}{suffix}").status_code == 404
    assert world.world.get("globex", PATH)["items"] == []
    for verb in ("pause", "resume", "test", "rotate-secret"):
        world.post(f"{path}/{verb}", who="globex", status=404)
        world.post(f"{path}/{verb}", who="globex", status=404, account_id="GLOBEX")
    gone = world.world.ask("globex", "DELETE", f"{PATH}{path}", query={"account_id": "GLOBEX"})
    assert gone.status_code == 404
    world.post("", who="globex", status=404, url=world.url)
    assert world.world.get("acme", f"{PATH}{path}") == made["subscription"], "and nothing came of it"


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "http://10.0.0.1/", "https://localhost/", "https://169.254.169.254/latest", "ftp://a.b/"],
)
def test_a_url_that_leads_inside_is_refused_when_it_is_named(world: Partner, url: str) -> None:
    answer = world.world.ask("acme", "POST", PATH, body={"account_id": "ACME", "url": url}, key=url)
    assert answer.status_code == 422
    assert answer.json()["type"] in ("/problems/destination-refused", "/problems/invalid-body")
    assert answer.json().get("detail")


def test_a_change_names_the_revision_it_starts_from(world: Partner) -> None:
    made = world.subscribe(key="changed")
    path = f"{PATH}/{made['subscription_id']}"

    def amend(tag: str, **change: Any) -> Any:
        body = {"account_id": "ACME", **change}
        headers = {"authorization": "Bearer acme", "if-match": tag}
        return world.world.run(world.world.client.request("PATCH", path, json=body, headers=headers))

    assert amend('"1"', description="ours", types=["order.accepted"]).json()["revision"] == 2
    assert amend('"1"', description="late").status_code == 412
    assert amend("*", url="https://10.0.0.1/").status_code == 422
    shown = world.world.get("acme", path)
    assert (shown["description"], shown["types"], shown["url"]) == ("ours", ["order.accepted"], world.url)


def test_a_test_event_tells_what_the_endpoint_did(world: Partner) -> None:
    made = world.subscribe(key="tested")
    world.vendor.asked.clear()
    told = world.post(f"/{made['subscription_id']}/test", key="t-1")
    assert (told["attempt"]["outcome"], told["attempt"]["status"]) == ("delivered", 204)
    (asked,) = [one for one in world.vendor.asked if b"subscription.test" in one.body]
    event = Webhook(made["secret"]).verify(asked.body, dict(asked.headers))
    assert event["id"] == told["event_id"]


def test_rotating_shows_a_new_secret_once_and_keeps_the_former_for_a_while(world: Partner) -> None:
    made = world.subscribe(key="rotated")
    path = f"/{made['subscription_id']}/rotate-secret"
    rotated = world.post(path, key="r-1", overlap_s=60)
    assert rotated["secret"] != made["secret"]
    assert rotated["subscription"]["former_secret_until"] is not None
    assert world.post(path, key="r-1", overlap_s=60)["secret"] == rotated["secret"]
    world.vendor.asked.clear()
    world.post(f"/{made['subscription_id']}/test", key="r-2")
    (asked,) = [one for one in world.vendor.asked if b"subscription.test" in one.body]
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(asked.body, dict(asked.headers))


def test_paused_resumed_replayed_and_removed(world: Partner) -> None:
    began = datetime.now(UTC).isoformat()
    made = world.subscribe(key="paused", subjects=["O-P1", "O-P2"])
    path = f"/{made['subscription_id']}"

    def mine() -> list[str]:
        return [one.headers["webhook-id"] for one in world.vendor.asked if _of(made, one)]

    assert world.post(f"{path}/pause")["status"] == "paused"
    world.happen("O-P1", "O-P2")
    assert world.post(f"{path}/resume")["status"] == "active"
    world.eventually(lambda: len(mine()) == 2)
    first, second = mine()
    assert world.post(f"{path}/deliveries/{first}/replay")["events"] == 1
    world.eventually(lambda: len(mine()) == 3)
    assert mine()[2] == first
    replayed = world.post(f"{path}/replay", since=began)
    assert (replayed["events"], replayed["complete"]) == (2, True)
    world.eventually(lambda: len(mine()) == 5)
    assert {first, second} == set(mine())
    assert world.post(f"{path}/replay", key="dead", since=began, only_dead=True)["events"] == 0
    world.post(f"{path}/deliveries/evt-{'a' * 26}/replay", status=404)
    world.post(f"{path}/replay", key="local", status=422, since="2026-01-01T00:00:00")
    gone = world.world.ask("acme", "DELETE", f"{PATH}{path}", query={"account_id": "ACME"})
    assert gone.status_code == 204
    removed = world.world.get("acme", f"{PATH}{path}")
    assert (removed["status"], removed["secret_hint"]) == ("removed", "")
    assert made["subscription_id"] not in str(world.world.collect("acme", PATH, status="active"))
    assert {one["status"] for one in world.world.collect("acme", f"{PATH}{path}/deliveries")} <= {"delivered", "dead"}
    for verb in ("pause", "resume", "rotate-secret", "test"):
        assert world.post(f"{path}/{verb}", key=f"gone-{verb}", status=409)["type"] == "/problems/wrong-state"
