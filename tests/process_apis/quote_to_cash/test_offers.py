"""Quotes over HTTP, from the wish to the answer: prices, approval, revisions, links, and every refusal."""

from __future__ import annotations

from typing import Any

from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    QUOTES,
    events_of,
    letters,
    noted,
    request,
    said,
    say,
    sent,
    token_of,
    wish,
)
from tests.process_apis.world import World


def test_a_quote_is_priced_drawn_up_and_sent(world: World) -> None:
    quote = sent(world, (BEARING, 10, None), note="As discussed.")
    assert (quote["revision"], quote["note"], quote["billing"]) == (1, "As discussed.", "not_billed")
    assert quote["net"]["amount_minor"] == sum(line["net"]["amount_minor"] for line in quote["lines"])
    found = world.get("platform", f"/system/crm/v1/quotes/{quote['crm_quote_id']}")
    assert (found["status"], found["total_net"]) == ("sent", quote["net"])
    (letter,) = letters(world, quote["crm_quote_id"])
    assert (letter.template, letter.to) == ("quote_sent", "katrin.vogel@acme-antrieb.example")
    assert token_of(world, quote)
    assert events_of(world, quote["quote_id"]) == ["quote.sent"]


def test_the_same_key_is_one_quote(world: World) -> None:
    one, other = (request(world, wish((BEARING, 3, None)), key="same") for _ in range(2))
    assert one["quote_id"] == other["quote_id"]
    refused = world.ask("platform", "POST", QUOTES, body=wish((BEARING, 4, None)), key="same")
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/idempotency-key-reused")


def test_what_cant_be_offered_is_rejected(world: World) -> None:
    unknown = request(world, wish(("NO-SUCH", 1, None)))
    assert (unknown["status"], unknown["problem"]) == ("rejected", "unknown-product")
    assert noted(world, unknown, "quote_rejected") == ["quote_rejected"]
    assert events_of(world, unknown["quote_id"]) == ["quote.declined"]
    over = world.ask("platform", "POST", QUOTES, body=wish((BEARING, 1, None), valid_until="2020-01-01"), key="over")
    assert (over.status_code, over.json()["errors"][0]["pointer"]) == (422, "/valid_until")


def test_a_declined_quote_is_over(world: World) -> None:
    quote = sent(world)
    gone = said(world, quote, "decline", who="acme", reason="Too dear.")
    assert (gone["status"], gone["reason"], gone["problem"]) == ("declined", "Too dear.", "quote-declined")
    assert said(world, quote, "decline", who="acme")["status"] == "declined"
    late = say(world, quote, "accept", who="acme")
    assert (late.status_code, late.json()["type"], late.json()["state"]) == (409, "/problems/wrong-state", "declined")


def test_another_account_finds_nothing(world: World) -> None:
    quote = sent(world)
    for what in ("accept", "decline", "withdraw", "revise", "decide"):
        more: dict[str, Any] = {"lines": [{"sku": BEARING, "quantity": 1}]} if what == "revise" else {}
        more |= {"approved": True} if what == "decide" else {}
        assert say(world, quote, what, who="globex", **more).status_code == 404
        assert say(world, {**quote, "account_id": "GLOBEX"}, what, who="globex", **more).status_code == 404
    assert world.ask("globex", "GET", f"{QUOTES}/{quote['quote_id']}").status_code == 404
    assert quote["quote_id"] in [one["quote_id"] for one in world.collect("acme", QUOTES)]
    assert world.collect("globex", QUOTES) == []
