"""Every operation that takes deliveries: what a vendor signs is kept once, what nobody signed does nothing."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from governance.audit import Filter, search
from governance.contract import Operation
from governance.prove import Prober, Reply, sample_of
from governance.prove.published import Published
from governance.prove.run import Subject, prove_operation
from governance.webhooks import standard_key, standard_signature
from tests.conformance.conftest import WEBHOOK_SECRET, Served
from tests.conformance.every_operation import INBOUND

pytestmark = pytest.mark.anyio
OTHER_SECRET = "whsec_" + "U29tZWJvZHkgZWxzZSBzaWducyB3aXRoIHRoaXMgb25l"
EXAMPLES: dict[str, Any] = {
    "payments.v1.receive_event": {"type": "payment.disputed", "data": {"payment_id": "PAY-1", "reason": "stolen"}},
    "logistics.v1.receive_event": {"type": "shipment.delayed", "data": {"shipment_id": "S-1"}},
    "commerce.v1.receive_event": {"type": "channel_order.created", "data": {"channel_order_id": "C-1"}},
}


def body_of(name: str, **change: Any) -> bytes:
    return json.dumps({"timestamp": "2026-03-01T12:00:00Z", **EXAMPLES[name], **change}).encode()


def signed(body: bytes, event_id: str, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    now_s = int(time.time())
    signature = standard_signature([standard_key(secret)], event_id, now_s, body)
    headers = {"webhook-id": event_id, "webhook-timestamp": str(now_s), "webhook-signature": signature}
    if secret == WEBHOOK_SECRET:
        Webhook(secret).verify(body, headers)  # what we sign here is what others verify
    return headers


async def deliver(served: Served, operation: Operation, headers: dict[str, str], body: bytes) -> Reply:
    reply = await served.send("POST", operation.path, {"Accept": "*/*", **headers}, body)
    assert str(reply.status) in served.documented(operation)["responses"]
    return reply


async def notices(served: Served, operation: Operation) -> list[Any]:
    reading = served.operations[operation.id.replace("receive_event", "list_notices")]
    reply = await served.send("GET", f"{reading.path}?limit=200", served.authorized(reading, {}), None)
    assert reply.status == 200, reply.body
    found: list[Any] = json.loads(reply.body)["items"]
    return found


@pytest.mark.parametrize("name", sorted(INBOUND))
async def test_what_its_vendor_signed_is_kept_once_and_read_in_order(served: Served, name: str) -> None:
    operation = served.operations[name]
    body = body_of(name)
    told = [json.loads((await deliver(served, operation, signed(body, f"once-{n}"), body)).body) for n in (1, 2, 1)]
    assert [(one["event_id"], one["outcome"]) for one in told] == [
        ("once-1", "kept"), ("once-2", "kept"), ("once-1", "repeated"),
    ]  # fmt: skip
    kept = [one for one in await notices(served, operation) if one["event_id"].startswith("once-")]
    assert [one["event_id"] for one in kept] == ["once-1", "once-2"]
    assert kept[0]["position"] < kept[1]["position"]
    assert kept[0]["notice"]["occurred_at"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize("name", sorted(INBOUND))
async def test_a_kind_that_nobody_waits_for_is_passed_over(served: Served, name: str) -> None:
    body = body_of(name, type="something.else")
    reply = await deliver(served, served.operations[name], signed(body, "other"), body)
    assert (reply.status, json.loads(reply.body)["outcome"]) == (202, "passed_over")
    assert "other" not in [one["event_id"] for one in await notices(served, served.operations[name])]


@pytest.mark.parametrize("name", sorted(INBOUND))
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"type": "x"}', b'"\xff"', b"null"], ids=repr)
async def test_what_no_such_vendor_sends_is_refused_though_it_is_signed(served: Served, name: str, body: bytes) -> None:
    operation = served.operations[name]
    now_s = int(time.time())
    signature = standard_signature([standard_key(WEBHOOK_SECRET)], "broken", now_s, body)
    headers = {"webhook-id": "broken", "webhook-timestamp": str(now_s), "webhook-signature": signature}
    reply = await deliver(served, operation, headers, body)
    assert (reply.status, reply.problem) == (422, "invalid-body")


@pytest.mark.parametrize("name", sorted(INBOUND))
async def test_what_another_signed_is_refused_and_audited(served: Served, name: str) -> None:
    operation = served.operations[name]
    body = body_of(name)
    reply = await deliver(served, operation, signed(body, "forged", OTHER_SECRET), body)
    assert (reply.status, reply.problem) == (401, "unauthenticated")
    assert "forged" not in [one["event_id"] for one in await notices(served, operation)]
    await deliver(served, operation, signed(body, "true"), body)
    system = operation.api_id.partition(".")[0]
    wanted = {(f"webhook:{system}", "ok"), ("", "unauthenticated")}
    while not wanted <= {(one.client, one.outcome) for one in search(served.home / "audit", Filter(operation=name))}:
        await asyncio.sleep(0.01)  # refusals are written without waiting


@pytest.mark.parametrize("name", sorted(INBOUND))
async def test_every_control_of_a_delivery_holds(served: Served, name: str) -> None:
    subject = Subject(apis=served.apis, policies=served.policies)
    published = Published(served.send)
    await published.load(subject.apis, ("system",))
    proofs = await prove_operation(subject, served.operations[name], Prober(served.send, served.tokens), published)
    assert {proof.control for proof in proofs} >= {"WH-001", "WH-002", "WH-003", "WH-004", "DO-001", "HD-003"}
    assert not [str(proof) for proof in proofs if not proof.held]


@pytest.mark.parametrize("name", sorted(INBOUND))
async def test_it_meets_the_limit_of_its_source(served: Served, name: str) -> None:
    body = body_of(name)
    reply = await deliver(served, served.operations[name], signed(body, "limited"), body)
    assert reply.headers["ratelimit"]
    assert served.documented(served.operations[name])["security"] == []


async def test_the_inbox_is_in_the_database_and_not_in_the_store(served: Served) -> None:
    engine = sa.create_engine(f"sqlite:///{served.home / 'tiergate.sqlite'}")
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM inbox")).scalar_one() > 0
    engine.dispose()


async def test_a_dispute_comes_into_the_feed_of_events_as_what_happened_to_the_order(served: Served) -> None:
    authorize = served.operations["payments.v1.authorize"]
    sample = sample_of(authorize, key="disputed", account="ACME")
    made = await served.send("POST", sample.target, served.authorized(authorize, sample.headers), sample.body)
    payment = json.loads(made.body)
    operation = served.operations["payments.v1.receive_event"]
    body = body_of(operation.id, data={"payment_id": payment["payment_id"], "reason": "not mine"})
    assert (await deliver(served, operation, signed(body, "dispute-1"), body)).status == 202
    feed = served.operations["events.v1.list_events"]
    target = f"{feed.path}?type=payment.disputed&account_id=ACME"
    events: list[Any] = []
    while not events:
        await asyncio.sleep(0.05)
        reply = await served.send("GET", target, served.authorized(feed, {}), None)
        events = json.loads(reply.body)["items"]
    assert (events[0]["subject"], events[0]["source"]) == (payment["order_reference"], "/system/payments/v1")
    assert events[0]["data"]["reason"] == "not mine"
