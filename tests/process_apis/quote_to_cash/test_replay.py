"""Quotes that are done again: nobody gets round an approval or an answer, and a corrected run is another quote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from process_apis.quote_to_cash.record import Correction
from system_apis.canonical.values import Money
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    LINKS,
    QUOTES,
    Ahead,
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

DEARER = "BRG-6000"


def is_unapproved(quote: Any) -> bool:
    return bool(quote["problem"] == "wrong-state")


def waits(quote: Any) -> bool:
    return bool(quote["waits_for_approval"])


@pytest.mark.parametrize("step", ["offer", "send", "accept"])
def test_an_approval_cant_be_left_out(world: World, step: str) -> None:
    quote = request(world, wish((BEARING, 10, 1_501)))
    said(world, quote, "decide", who="manager", approved=False)
    noted(world, quote, "quote_rejected")  # its end is told before it can be done again
    done = world.run(world.flows.replay(quote["quote_id"], step, by="jo", reason="They insist."))
    assert done.allowed, done.why
    again = seen(world, quote, "rejected", good=is_unapproved)
    assert again["crm_quote_id"] is None and again["order_id"] is None


@pytest.mark.parametrize(("step", "status"), [("accept", "rejected"), ("place_order", "on_hold")])
def test_an_answer_cant_be_left_out(world: World, step: str, status: str) -> None:
    quote = sent(world)
    said(world, quote, "decline", who="acme")
    noted(world, quote, "quote_declined")
    replay = world.run(world.flows.replay(quote["quote_id"], step, by="jo", reason="They insist."))
    if replay.allowed:
        assert seen(world, quote, status)["problem"] == "wrong-state"
    assert world.get("platform", f"{QUOTES}/{quote['quote_id']}")["order_id"] is None


@pytest.mark.parametrize("changes", [True, False])
def test_a_yes_holds_for_the_prices_that_it_was_given_for(world: World, changes: bool) -> None:
    quote = request(world, wish((DEARER, 10, 1_501)))
    said(world, quote, "decide", who="manager", approved=True)
    old = seen(world, quote, "sent")
    token = token_of(world, old)
    said(world, quote, "withdraw", reason="Not yet.")
    noted(world, old, "quote_cancelled")
    if changes:
        product = world.run(world.erp.get_product(DEARER))
        price = replace(product.list_price, amount=Money(product.list_price.amount.amount_minor * 2, "EUR"))
        world.run(world.erp.put_product(replace(product, list_price=price)))
    replay = world.run(world.flows.replay(quote["quote_id"], "price", by="jo", reason="They called."))
    assert replay.allowed, replay.why
    if not changes:
        same = seen(world, quote, "sent")
        assert (same["revision"], same["approved_by"], same["total"]) == (1, "manager", old["total"])
        return
    again = seen(world, quote, "requested", good=waits)
    assert (again["revision"], again["approved_by"]) == (2, None)
    assert again["total"]["amount_minor"] > old["total"]["amount_minor"]
    late = say(world, old, "accept", who="acme")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/quote-superseded")
    taken = world.ask("nobody", "POST", f"{LINKS}/accept", body={"token": token}, key="late link")
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/quote-superseded")
    said(world, again, "decide", who="manager", approved=True)
    assert seen(world, quote, "sent")["approved_by"] == "manager"
    assert events_of(world, quote["quote_id"]) == ["quote.sent", "quote.declined", "quote.revised", "quote.sent"]


def test_a_corrected_run_of_an_expired_quote_is_another_quote(world: World, clock: Ahead) -> None:
    quote = sent(world)
    clock.pass_days(31)
    seen(world, quote, "expired")
    noted(world, quote, "quote_expired")
    body = msgspec.json.encode(Correction(valid_until=clock.now().date() + timedelta(7)))
    run = world.run(world.flows.rerun(quote["quote_id"], "price", body, "again", by="jo", reason="They called."))
    assert run.allowed and run.flow_id != quote["quote_id"], run.why
    renewed = seen(world, {"quote_id": run.flow_id}, "sent")
    assert renewed["total"] == quote["total"] and renewed["crm_quote_id"] != quote["crm_quote_id"]
    assert seen(world, quote, "expired")["order_id"] is None
