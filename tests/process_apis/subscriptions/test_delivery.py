"""What reaches an endpoint: which events, in what form, in which order, and once they are lost, when again."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from governance.egress.wire import Bounds
from governance.webhooks import new_secret
from process_apis.events.instants import microseconds
from process_apis.subscriptions.attempts import Attempts
from process_apis.subscriptions.claims import LEASE_S, PLACES
from process_apis.subscriptions.payload import signed_request
from process_apis.subscriptions.schedule import ATTEMPTS, PAUSES_S, pause_s
from tests.governance.egress.vendor import (
    Asked,
    Behaviour,
    Vendor,
    answering,
    hanging,
    hanging_up,
    in_turn,
    nobody_there,
    pouring,
    resetting,
)
from tests.process_apis.subscriptions.post import DAY_S, HOUR_S, MINUTE_S, Post, opened, subjects_of, way_out

pytestmark = pytest.mark.anyio
BROKEN = answering(500, b"no")
FINE = answering(204, b"")


@pytest.mark.rule("Standard Webhooks 1.0.0 §Signature scheme", "Another implementation verifies what is delivered.")
async def test_another_implementation_verifies_what_is_delivered(tmp_path: Path) -> None:
    async with opened(tmp_path, now=datetime.now(UTC)) as post, Vendor(FINE) as vendor:
        subscription = await post.subscribe(vendor)
        await post.happen("O-1", text="Grüße \N{SNOWMAN}")
        assert await post.all_sent(post.dispatcher(way_out(vendor))) == 1
        (asked,) = vendor.asked
        secret = (await post.row(subscription)).secret
        event = Webhook(secret).verify(asked.body, dict(asked.headers))
        assert event["data"] == {"text": "Grüße \N{SNOWMAN}"}
        assert asked.headers["webhook-id"] == event["id"]
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(asked.body.replace(b"O-1", b"O-2"), dict(asked.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(new_secret()).verify(asked.body, dict(asked.headers))


@pytest.mark.rule("CloudEvents 1.0.2 HTTP binding §3.2", "The event is the body, in the structured mode.")
async def test_an_event_is_sent_as_the_feed_shows_it(post: Post) -> None:
    async with Vendor(FINE) as vendor:
        await post.subscribe(vendor)
        await post.happen("O-1", text="hello")
        await post.all_sent(post.dispatcher(way_out(vendor)))
    (asked,) = vendor.asked
    assert (asked.method, asked.target) == ("POST", "/in")
    assert asked.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    event = json.loads(asked.body)
    assert (event["specversion"], event["type"], event["subject"]) == ("1.0", "tiergate.order.accepted.v1", "O-1")
    assert (event["accountid"], event["sequence"], event["data"]) == ("ACME", "0000000001", {"text": "hello"})


@pytest.mark.rule("Standard Webhooks 1.0.0 §Secret rotation", "While a secret is rotated, both sign.")
async def test_while_a_secret_is_rotated_both_of_them_verify(tmp_path: Path) -> None:
    async with opened(tmp_path, now=datetime.now(UTC)) as post, Vendor(FINE) as vendor:
        subscription = await post.subscribe(vendor)
        former, fresh = (await post.row(subscription)).secret, new_secret()
        until_us = microseconds(post.clock.now()) + 60_000_000
        await post.change(subscription, secret=fresh, former_secret=former, former_until_us=until_us)
        dispatcher = post.dispatcher(way_out(vendor))
        await post.happen("O-1")
        await post.all_sent(dispatcher)
        post.clock.advance(61)
        await post.happen("O-2")
        await post.all_sent(dispatcher)
        during, after = vendor.asked
        for secret in (former, fresh):
            Webhook(secret).verify(during.body, dict(during.headers))
        Webhook(fresh).verify(after.body, dict(after.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(former).verify(after.body, dict(after.headers))


async def test_only_what_is_wanted_of_the_account_since_it_subscribed(post: Post) -> None:
    async with Vendor(FINE) as every, Vendor(FINE) as some, Vendor(FINE) as other, Vendor(FINE) as late:
        await post.happen("O-0")
        await post.subscribe(every)
        await post.subscribe(some, types=("shipment.*", "order.cancelled"), subjects=("O-2",))
        await post.subscribe(other, account_id="GLOBEX")
        await post.happen("O-1", "O-2")
        await post.happen("O-2", "O-3", type_="order.cancelled")
        await post.happen("O-2", type_="shipment.created")
        await post.happen("BRG-6204", type_="price.changed", account_id=None)
        await post.subscribe(late)
        await post.all_sent(post.dispatcher(way_out(every, some, other, late)))
    assert sorted(subjects_of(every.asked)) == ["O-1", "O-2", "O-2", "O-2", "O-3"]
    assert [json.loads(one.body)["type"] for one in some.asked] == [
        "tiergate.order.cancelled.v1",
        "tiergate.shipment.created.v1",
    ]
    assert other.asked == late.asked == []


async def test_a_delivery_that_fails_is_tried_ten_times_within_three_days_and_given_up(post: Post) -> None:
    async with Vendor(BROKEN) as vendor:
        subscription = await post.subscribe(vendor)
        await post.happen("O-1")
        dispatcher = post.dispatcher(way_out(vendor))
        for number, pause in enumerate(PAUSES_S, 1):
            assert await post.all_sent(dispatcher) == 1
            assert await post.states(subscription) == [("O-1", "waiting", number)]
            post.clock.advance(pause - 0.01)
            assert await dispatcher.look() == 0
            post.clock.advance(0.02)
        assert await post.all_sent(dispatcher) == 1
        assert await post.states(subscription) == [("O-1", "dead", ATTEMPTS)]
        post.clock.advance(30 * DAY_S)
        assert await dispatcher.look() == 0
    assert len({one.headers["webhook-id"] for one in vendor.asked}) == 1
    assert len({one.headers["webhook-timestamp"] for one in vendor.asked}) == ATTEMPTS
    log = await post.log(subscription)
    assert [(one.outcome, one.status, one.excerpt) for one in log] == [("refused", 500, "no")] * ATTEMPTS
    assert log[-1].at_us - log[0].at_us <= 3.2 * DAY_S * 1_000_000
    assert (await post.row(subscription)).failures == ATTEMPTS


def test_pauses_differ_by_a_fifth_and_an_endpoint_may_ask_for_more() -> None:
    least, most = pause_s(1, {}, lambda: 0.0), pause_s(1, {}, lambda: 1.0)
    assert (least, most) == (pytest.approx(4), pytest.approx(6))
    assert pause_s(ATTEMPTS, {}) is None
    assert pause_s(1, {"retry-after": "120"}, lambda: 0.5) == 120
    assert pause_s(1, {"retry-after": "999999"}, lambda: 0.5) == DAY_S
    assert pause_s(9, {"retry-after": "1"}, lambda: 0.5) == 24 * HOUR_S
    assert pause_s(1, {"retry-after": "soon"}, lambda: 0.5) == 5


async def test_events_of_a_subject_wait_for_each_other_and_others_do_not(post: Post) -> None:
    def failing_first(asked: Asked, writer: asyncio.StreamWriter) -> object:
        mine = [one for one in vendor.asked if b'"subject":"O-1"' in one.body]
        behave = BROKEN if b'"subject":"O-1"' in asked.body and len(mine) == 1 else FINE
        return behave(asked, writer)

    async with Vendor(failing_first) as vendor:  # type: ignore[arg-type] - it gives what the behaviour gives
        subscription = await post.subscribe(vendor)
        await post.happen("O-1", "O-1", "O-2", "O-1")
        dispatcher = post.dispatcher(way_out(vendor))
        await post.all_sent(dispatcher)
        assert sorted(subjects_of(vendor.asked)) == ["O-1", "O-2"]
        post.clock.advance(6)
        await post.all_sent(dispatcher)
        assert {status for _, status, _ in await post.states(subscription)} == {"delivered"}
    order = [json.loads(one.body)["sequence"] for one in vendor.asked if b'"subject":"O-1"' in one.body]
    assert order == ["0000000001", "0000000001", "0000000002", "0000000003"]


async def test_a_subject_is_held_back_a_quarter_of_an_hour_at_most(post: Post) -> None:
    def first_never(asked: Asked, writer: asyncio.StreamWriter) -> object:
        return (BROKEN if b'"sequence":"0000000001"' in asked.body else FINE)(asked, writer)

    async with Vendor(first_never) as vendor:  # type: ignore[arg-type] - it gives what the behaviour gives
        subscription = await post.subscribe(vendor)
        await post.happen("O-1", "O-1")
        dispatcher = post.dispatcher(way_out(vendor))
        await post.all_sent(dispatcher)
        post.clock.advance(6)
        await post.all_sent(dispatcher)  # the second attempt, after which the third is due in five minutes
        post.clock.advance(6 * MINUTE_S)
        await post.all_sent(dispatcher)  # the third; the fourth is due in half an hour
        assert [status for _, status, _ in await post.states(subscription)] == ["waiting", "waiting"]
        post.clock.advance(9 * MINUTE_S)
        await post.all_sent(dispatcher)
        assert [status for _, status, _ in await post.states(subscription)] == ["waiting", "delivered"]


@pytest.mark.parametrize(
    ("behave", "outcome", "status"),
    [
        (hanging, "too_slow", 0),
        (resetting, "unreachable", 0),
        (hanging_up, "unreachable", 0),
        (pouring, "unreachable", 0),
        (answering(302, b"", {"location": "http://127.0.0.1:1/elsewhere"}), "refused", 302),
        (answering(200, b"ok"), "delivered", 200),
        (answering(299, b""), "delivered", 299),
        (answering(400, b"x" * 5_000), "refused", 400),
        (answering(500, b"\xff\x00binary"), "refused", 500),
    ],
    ids=["hangs", "resets", "hangs up", "pours", "redirects", "200", "299", "400", "binary"],
)
async def test_what_an_endpoint_does_is_told_apart(post: Post, behave: Behaviour, outcome: str, status: int) -> None:
    bounds = Bounds(connect_s=0.2, read_s=0.2, total_s=0.3, most_bytes=65_536)
    async with Vendor(behave) as vendor:
        request = signed_request(f"http://a.example.com:{vendor.port}/", b"{}", "evt-1", [new_secret()], 1)
        made = await Attempts(way_out(vendor), post.clock, bounds).make(request)
        assert (made.outcome, made.status) == (outcome, status)
        assert len(made.excerpt) <= 500
        assert "\0" not in made.excerpt
        assert len(vendor.asked) == 1


async def test_an_endpoint_where_nobody_is_and_one_inside_are_told_apart(post: Post) -> None:
    vendor = Vendor(FINE)
    vendor.port = int(nobody_there().rpartition(":")[2])
    request = signed_request(f"http://a.example.com:{vendor.port}/", b"{}", "evt-1", [new_secret()], 1)
    assert (await Attempts(way_out(vendor), post.clock).make(request)).outcome == "unreachable"

    async def inside(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    made = await Attempts(way_out(vendor, resolve=inside), post.clock).make(request)
    assert (made.outcome, made.excerpt) == ("forbidden", "The URL leads into a network that is not public.")


async def test_a_slow_endpoint_delays_no_other(post: Post) -> None:
    async with Vendor(hanging) as slow, Vendor(FINE) as quick:
        await post.subscribe(slow)
        await post.subscribe(quick)
        await post.happen(*(f"O-{number}" for number in range(3 * PLACES)))
        dispatcher = post.dispatcher(way_out(slow, quick))
        while len(quick.asked) < 3 * PLACES:
            await dispatcher.look()
            await asyncio.sleep(0.005)
        assert slow.most_at_once <= PLACES
        assert quick.most_at_once <= PLACES
        await dispatcher.stop()


async def test_what_a_killed_process_had_taken_another_delivers(post: Post) -> None:
    async with Vendor(in_turn(hanging, FINE)) as vendor:
        subscription = await post.subscribe(vendor)
        await post.happen("O-1", "O-1")
        killed, survivor = post.dispatcher(way_out(vendor)), post.dispatcher(way_out(vendor))
        assert await killed.look() == 1
        while not vendor.asked:
            await asyncio.sleep(0.005)
        await killed.stop()
        assert await survivor.look() == 0, "nobody else has it while the lease holds"
        post.clock.advance(LEASE_S + 1)
        assert await post.all_sent(survivor) == 2
        assert {status for _, status, _ in await post.states(subscription)} == {"delivered"}
    assert [json.loads(one.body)["sequence"][-1] for one in vendor.asked] == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("behave", "state", "failures"), [(FINE, ("O-1", "delivered", 1), 0), (BROKEN, ("O-1", "waiting", 1), 1)]
)
async def test_what_a_process_reports_after_its_lease_changes_nothing(
    post: Post, behave: Behaviour, state: tuple[str, str, int], failures: int
) -> None:
    may_answer = asyncio.Event()

    async def late(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await may_answer.wait()
        await BROKEN(asked, writer)

    async with Vendor(in_turn(late, behave)) as vendor:
        subscription = await post.subscribe(vendor)
        await post.happen("O-1")
        stopped, survivor = post.dispatcher(way_out(vendor)), post.dispatcher(way_out(vendor))
        await stopped.look()
        while not vendor.asked:
            await asyncio.sleep(0.005)
        post.clock.advance(LEASE_S + 1)
        await post.all_sent(survivor)
        may_answer.set()
        await stopped.settle()
        assert await post.states(subscription) == [state]
        assert (await post.row(subscription)).failures == failures
        assert len(await post.log(subscription)) == 2


async def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(post: Post) -> None:
    async with Vendor(in_turn(FINE, BROKEN)) as vendor:
        subscription = await post.subscribe(vendor)
        dispatcher = post.dispatcher(way_out(vendor))
        await post.happen("O-1")
        await post.all_sent(dispatcher)
        await post.happen("O-2")
        await post.all_sent(dispatcher)
        post.clock.advance(31 * DAY_S)
        assert await dispatcher.forget() == 1
        assert await post.states(subscription) == [("O-2", "waiting", 1)]
        assert await post.log(subscription) == []


@pytest.mark.parametrize("turns", range(4))
async def test_it_stops_also_in_the_moment_in_which_an_attempt_ends(post: Post, turns: int) -> None:
    async with Vendor(FINE) as vendor:
        await post.subscribe(vendor)
        await post.happen("O-1")
        dispatcher = post.dispatcher(way_out(vendor))
        await dispatcher.start()
        await asyncio.sleep(0)  # it looks, has nothing to do here, and waits
        assert await dispatcher.look() == 1
        await dispatcher.settle()
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping = asyncio.create_task(dispatcher.stop())
        assert (await asyncio.wait({stopping}, timeout=40))[0] == {stopping}
