"""Which deliveries pass, and which are refused before anything runs."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from governance.call import ManualClock
from governance.contract import Delivery
from governance.database import Database
from governance.policies.webhook_signature import Enforcement, Settings
from governance.webhooks import Inbox, TimestampedHmac, VendorSchemes
from tests.governance.policies.webhook_signature.vendor import (
    BODY,
    NEXT_SECRET,
    NOW,
    NOW_S,
    OTHER_SECRET,
    PATH,
    SECRET,
    Gateway,
    signed,
)

pytestmark = pytest.mark.anyio


def stripe(secret: str, body: bytes, at_s: int = NOW_S) -> dict[str, str]:
    digest = hmac.new(secret.encode(), b"%d.%b" % (at_s, body), hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at_s},v1={digest},v0=00"}


@pytest.mark.rule(
    "Standard Webhooks 1.0.0 §Verifying webhook authenticity", "A delivery that its sender signed is taken."
)
async def test_what_another_implementation_signed_passes() -> None:
    gateway = Gateway(SECRET)
    signature = Webhook(SECRET).sign("msg_9", NOW.astimezone(UTC).replace(tzinfo=None), BODY.decode())
    headers = {"webhook-id": "msg_9", "webhook-timestamp": str(NOW_S), "webhook-signature": signature}
    reply = await gateway.send(headers)
    assert (reply.status, reply.json) == (202, {"event_id": "msg_9"})
    (delivery,) = gateway.tills.came
    assert (delivery.system, delivery.event_id, delivery.body) == ("tills", "msg_9", BODY)
    assert delivery.sent_at == datetime.fromtimestamp(NOW_S, UTC)


async def test_its_sender_acts_under_its_own_name_with_this_one_scope() -> None:
    gateway = Gateway(SECRET)
    await gateway.send(signed())
    assert gateway.tills.as_whom == [("webhook:tills", frozenset({"tills.events:receive"}))]


@pytest.mark.rule("Standard Webhooks 1.0.0 §Secret rotation", "Two secrets are valid at once while one is rotated.")
async def test_both_secrets_of_a_rotation_pass_and_a_third_does_not() -> None:
    gateway = Gateway(SECRET, NEXT_SECRET)
    assert [(await gateway.send(signed(one))).status for one in (SECRET, NEXT_SECRET)] == [202, 202]
    both = {**signed(OTHER_SECRET), "webhook-signature": f"{signed(OTHER_SECRET)['webhook-signature']} "}
    both["webhook-signature"] += signed(NEXT_SECRET)["webhook-signature"]
    assert (await gateway.send(both)).status == 202
    (await gateway.send(signed(OTHER_SECRET))).problem(401, "unauthenticated")


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(NOW_S + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "-1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,****"},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": ""},
        {"webhook-id": ""},
        {"webhook-id": "msg_\u00e9"},
        {"webhook-id": "m" * 161},
    ],
    ids=str,
)
async def test_a_changed_header_is_refused(change: dict[str, str]) -> None:
    gateway = Gateway(SECRET)
    headers = [(name.encode(), value.encode("latin-1")) for name, value in {**signed(), **change}.items()]
    raw = [(b"host", b"t"), (b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY)), *headers]
    reply = await gateway.send_raw(raw)
    reply.problem(401, "unauthenticated")
    assert reply.headers["www-authenticate"] == (
        'Webhook-Signature headers="webhook-id webhook-timestamp webhook-signature"'
    )
    assert gateway.tills.came == []


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_missing_header_is_named(missing: str) -> None:
    headers = signed()
    del headers[missing]
    assert missing in (await Gateway(SECRET).send(headers)).problem(401, "unauthenticated")["detail"]


async def test_one_changed_byte_of_the_body_is_refused() -> None:
    gateway = Gateway(SECRET)
    (await gateway.send(signed(), BODY.replace(b"1", b"2"))).problem(401, "unauthenticated")
    (await gateway.send(signed(), BODY + b" ")).problem(401, "unauthenticated")
    assert gateway.tills.came == []


@pytest.mark.rule(
    "Standard Webhooks 1.0.0 §Timestamp tolerance", "A delivery signed too long ago, or in the future, is refused."
)
@pytest.mark.parametrize("off_s", [301, -301, 10**9])
async def test_a_signed_time_outside_the_tolerance_is_refused(off_s: int) -> None:
    gateway = Gateway(SECRET)
    (await gateway.send(signed(at_s=abs(NOW_S - off_s)))).problem(401, "unauthenticated")
    assert gateway.tills.came == []


async def test_a_recorded_delivery_is_no_use_after_the_tolerance() -> None:
    gateway = Gateway(SECRET)
    headers = signed()
    assert (await gateway.send(headers)).status == 202
    gateway.clock.advance(300)
    assert (await gateway.send(headers)).status == 202  # the inbox takes it for what it is: a repeat
    gateway.clock.advance(1)
    (await gateway.send(headers)).problem(401, "unauthenticated")


async def test_a_token_opens_nothing() -> None:
    (await Gateway(SECRET).send({"authorization": "Bearer whatever"})).problem(401, "unauthenticated")


async def test_without_a_secret_nothing_passes() -> None:
    gateway = Gateway()
    (await gateway.send(signed())).problem(401, "unauthenticated")
    (finding,) = gateway.policy.audit(gateway.operation)
    assert (finding.id, finding.severity) == ("WH-011", "warning")


@pytest.mark.parametrize("secret", ["whsec_!!!", "whsec_c2hvcnQ=", "plain text"])
def test_a_secret_that_the_scheme_cannot_use_is_an_error_and_not_shown(secret: str) -> None:
    gateway = Gateway(SECRET)
    with pytest.raises(ValueError, match="A secret of Standard Webhooks") as raised:
        Gateway(secret)
    assert secret not in str(raised.value)
    assert list(gateway.policy.audit(gateway.operation)) == []


async def test_a_peer_that_keeps_failing_is_refused_before_its_body_is_read() -> None:
    gateway = Gateway(SECRET, failure_burst=3)
    for _ in range(3):
        (await gateway.send(signed(OTHER_SECRET))).problem(401, "unauthenticated")
    reply = await gateway.send(signed())
    reply.problem(429, "rate-limited")
    assert int(reply.headers["retry-after"]) >= 1
    gateway.clock.advance(2)
    assert (await gateway.send(signed(at_s=NOW_S + 2))).status == 202


async def test_a_scheme_with_one_header_takes_its_id_from_the_body() -> None:
    gateway = Gateway("sk_" + "x" * 20, scheme="timestamped")
    reply = await gateway.send(stripe("sk_" + "x" * 20, BODY))
    assert (reply.status, reply.json) == (202, {"event_id": "evt_1"})
    refused = [
        stripe("sk_" + "y" * 20, BODY),
        stripe("sk_" + "x" * 20, BODY, NOW_S - 301),
        stripe("sk_" + "x" * 20, b"{}"),
        {"stripe-signature": "v1=00"},
        {"stripe-signature": f"t={NOW_S},t={NOW_S},v1=00"},
        {"stripe-signature": f"t={NOW_S},v1=zz"},
        {"stripe-signature": f"t={NOW_S}"},
        signed(),
    ]
    for headers in refused:
        (await gateway.send(headers)).problem(401, "unauthenticated")
    for body in (b"[]", b"{}", b'{"id": 1}', b'{"id": "a b"}', b"\xff"):
        (await gateway.send(stripe("sk_" + "x" * 20, body), body)).problem(401, "unauthenticated")


async def test_a_connector_names_the_scheme_of_its_vendor() -> None:
    class Connector:
        webhook_scheme = TimestampedHmac("x-till-signature", member="event")

    vendors = VendorSchemes()
    vendors.learn("tills", Connector())
    gateway = Gateway("sk_" + "x" * 20, vendors=vendors)
    body = b'{"event": "e-7"}'
    headers = {"x-till-signature": stripe("sk_" + "x" * 20, body)["stripe-signature"]}
    assert (await gateway.send(headers, body)).json == {"event_id": "e-7"}
    assert 'headers="x-till-signature"' in (await gateway.send({}, body)).headers["www-authenticate"]


async def test_what_every_request_is_held_to_holds_here_too() -> None:
    gateway = Gateway(SECRET)
    (await gateway.send({**signed(), "content-type": "text/plain"})).problem(415, "unsupported-media-type")
    (await gateway.send(signed(), target=f"{PATH}?nobody=1")).problem(400, "invalid-parameters")
    large = b" " * 3_000
    (await gateway.send(signed(body=large), large)).problem(413, "body-too-large")
    assert gateway.tills.came == []


async def test_the_inbox_is_tidied_when_the_policy_starts(tmp_path: Path) -> None:
    database, clock = Database(tmp_path), ManualClock(NOW)
    inbox = Inbox(database, clock)
    await database.start()
    old = Delivery(system="tills", event_id="old", sent_at=NOW, body=b"")
    await inbox.keep(old, "{}")
    clock.advance(91 * 86_400)
    policy = Enforcement(Settings(), clock, inbox=inbox)
    await policy.start()
    while await inbox.after("tills", 0, 1):
        await asyncio.sleep(0.01)
    await policy.stop()
    assert await inbox.keep(old, "{}"), "after its time an event is new again"
    await database.stop()
