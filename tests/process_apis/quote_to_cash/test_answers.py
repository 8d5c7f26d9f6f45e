"""Answers to quotes: revisions, expiry, links, and an acceptance that is one however often it is said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from process_apis.flow.signals import keep_signal
from process_apis.flow.tables import flows
from process_apis.quote_to_cash import desk
from process_apis.quote_to_cash.links import SIGNATURE_BYTES, QuoteLinks
from process_apis.quote_to_cash.record import Answer
from process_apis.quote_to_cash.signals import ANSWER
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    LINKS,
    Ahead,
    erp_orders,
    events_of,
    noted,
    request,
    said,
    say,
    seen,
    sent,
    token_of,
    wish,
)
from tests.process_apis.world import World


def by_link(world: World, what: str, token: str, *, who: str = "nobody", key: str = "", **more: Any) -> Any:
    return world.ask(who, "POST", f"{LINKS}/{what}", body={"token": token, **more}, key=key or f"{what}-{token[-9:]}")


def test_an_accepted_quote_becomes_one_order_at_its_prices(world: World) -> None:
    quote = sent(world, (BEARING, 10, 1_200))
    first = said(world, quote, "accept", who="acme", key="yes", reference="PO-ONE")
    again = said(world, quote, "accept", who="acme", key="yes", reference="PO-ONE")
    assert first["accepted_at"] == again["accepted_at"]
    other = say(world, quote, "accept", who="acme", key="another yes", reference="PO-TWO")
    assert (other.status_code, other.json()["type"]) == (409, "/problems/wrong-state")
    done = seen(world, quote, "invoiced")
    order = world.get("platform", f"/process/order-to-fulfillment/v1/orders/{done['order_id']}")
    assert (order["status"], order["reference"], order["total"]) == ("completed", "PO-ONE", quote["total"])
    assert len(erp_orders(world, "PO-ONE")) == 1 and erp_orders(world, "PO-TWO") == []
    found = world.get("platform", f"/system/crm/v1/quotes/{quote['crm_quote_id']}")
    assert (found["status"], found["order_id"]) == ("ordered", done["order_id"])
    assert events_of(world, quote["quote_id"]) == ["quote.sent", "quote.accepted", "quote.converted"]


def test_whose_answer_was_first_is_told_once_it_is_taken_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that another process has kept and no flow has heard of yet may be this caller's own, sent before."""
    monkeypatch.setattr(desk, "PATIENCE_S", 0.1)
    quote = sent(world, (BEARING, 10, None))
    now = datetime.now(UTC)
    resting = sa.select(flows.c.flow_id).where(flows.c.flow_id == quote["quote_id"], flows.c.resting == "due")
    while not world.run(world.flows.read(lambda connection: connection.execute(resting).first())):
        world.run(asyncio.sleep(0.01))
    first = msgspec.json.encode(
        Answer(revision=1, accepted=True, by="acme", way="account", at=now, key="k" * 26, reference="PO-ONE")
    )
    kept = partial(keep_signal, flow_id=quote["quote_id"], name=ANSWER, body=first, source_id=f"{ANSWER}:1", now=now)
    assert world.run(world.flows.write(kept))
    early = say(world, quote, "accept", who="acme", reference="PO-TWO")
    assert (early.status_code, early.json()["type"]) == (503, "/problems/unavailable")
    world.run(world.flows.signal(quote["quote_id"], "nudge", b"", "nudge"))
    seen(world, quote, "invoiced")
    late = say(world, quote, "accept", who="acme", reference="PO-TWO")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/wrong-state")


def test_a_revision_supersedes_the_one_before(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    old = token_of(world, quote)
    lines = [{"sku": BEARING, "quantity": 20}]
    revised = said(world, quote, "revise", key="revise once", lines=lines)
    assert said(world, quote, "revise", key="revise once", lines=lines)["revision"] == 2
    revised = seen(world, revised, "sent")
    assert (revised["revision"], revised["lines"][0]["quantity"]) == (2, 20)
    assert revised["crm_quote_id"] == quote["crm_quote_id"]
    late = say(world, quote, "accept", who="acme")
    assert (late.status_code, late.json()["type"], late.json()["revision"]) == (409, "/problems/quote-superseded", 2)
    assert by_link(world, "accept", old).json()["type"] == "/problems/quote-superseded"
    seen_old = by_link(world, "view", old).json()
    assert (seen_old["status"], seen_old["lines"], seen_old["total"]) == ("superseded", [], None)
    assert by_link(world, "view", token_of(world, revised)).json()["status"] == "open"
    assert said(world, revised, "accept", who="acme")["status"] != "sent"
    over = say(world, revised, "revise", lines=lines)
    assert (over.status_code, over.json()["type"]) == (409, "/problems/wrong-state")
    events = events_of(world, quote["quote_id"])
    assert events[:3] == ["quote.sent", "quote.revised", "quote.sent"]


def test_a_quote_expires_by_the_clock(world: World, clock: Ahead) -> None:
    quote, waiting = sent(world), request(world, wish((BEARING, 10, 2_000)))
    token = token_of(world, quote)
    clock.pass_days(31)
    late = say(world, quote, "accept", who="acme")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/quote-expired")
    assert late.json()["valid_until"] == quote["valid_until"]
    for one in (quote, waiting):
        assert seen(world, one, "expired")["problem"] == "quote-expired"
    for what in ("view", "accept", "decline"):
        assert by_link(world, what, token).json()["type"] == "/problems/quote-expired"
    assert events_of(world, quote["quote_id"]) == ["quote.sent", "quote.expired"]
    assert noted(world, quote, "quote_expired") == ["quote_expired"]
    revise = say(world, quote, "revise", lines=[{"sku": BEARING, "quantity": 1}])
    assert (revise.status_code, revise.json()["type"]) == (409, "/problems/wrong-state")


def test_a_quote_can_be_withdrawn_until_it_is_accepted(world: World) -> None:
    quote = sent(world)
    for _ in range(2):
        gone = said(world, quote, "withdraw", reason="Not any more.")
        assert (gone["status"], gone["reason"]) == ("cancelled", "Not any more.")
    assert say(world, quote, "accept", who="acme").json()["type"] == "/problems/wrong-state"
    other = sent(world)
    said(world, other, "accept", who="acme")
    assert say(world, other, "withdraw").json()["type"] == "/problems/wrong-state"


def test_a_link_answers_its_quote_once(world: World) -> None:
    quote = sent(world)
    token = token_of(world, quote)
    offer = by_link(world, "view", token).json()
    assert (offer["status"], offer["total"], offer["revision"]) == ("open", quote["total"], 1)
    assert "account_id" not in offer
    for _ in range(2):
        answer = by_link(world, "accept", token, key="link yes", reference="PO-LINK")
        assert (answer.status_code, answer.json()["status"]) == (202, "accepted"), answer.text
    spent = by_link(world, "accept", token, key="link yes again", reference="PO-LINK")
    assert (spent.status_code, spent.json()["type"]) == (409, "/problems/wrong-state")
    assert by_link(world, "decline", token).status_code == 409
    done = seen(world, quote, "invoiced")
    assert done["reference"] == "PO-LINK" and len(erp_orders(world, "PO-LINK")) == 1
    (entry,) = [
        one
        for one in world.get("acme", f"/process/quote-to-cash/v1/quotes/{quote['quote_id']}/timeline")["entries"]
        if one["operation"] == "answer"
    ]
    assert (entry["outcome"], entry["detail"]) == ("accepted", "by the holder of the link by link")


def test_a_link_can_decline(world: World) -> None:
    quote = sent(world)
    declined = by_link(world, "decline", token_of(world, quote), reason="We bought elsewhere.")
    assert (declined.status_code, declined.json()["status"]) == (202, "declined")
    assert seen(world, quote, "declined")["reason"] == "We bought elsewhere."


@pytest.mark.rule("RFC 2104 §2", "A message whose authentication code is another is not ours")
def test_guessed_links_read_as_nothing(world: World) -> None:
    quote = sent(world)
    token = token_of(world, quote)
    foreign = QuoteLinks(b"another key", "").token(quote["quote_id"], 1, datetime(2099, 1, 1, tzinfo=UTC))
    flipped = ("B" if token[0] == "A" else "A") + token[1:]
    for guess in (flipped, foreign, token[:-1], token[SIGNATURE_BYTES:], "AAAA", "A"):
        answers = [by_link(world, what, guess) for what in ("view", "accept", "decline")]
        assert {answer.status_code for answer in answers} == {404}, guess
        assert {answer.json()["type"] for answer in answers} == {"/problems/unknown-link"}
        assert all(not answer.json().get("detail") for answer in answers)
    assert by_link(world, "view", token).json()["status"] == "open"
