"""Quotes that are done again: nobody gets round an approval or an answer, and a corrected run is another quote."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from process_apis.quote_to_cash.record import Correction
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    QUOTES,
    Ahead,
    noted,
    request,
    said,
    seen,
    sent,
    wish,
)
from tests.process_apis.world import World


def is_unapproved(quote: Any) -> bool:
    return bool(quote["problem"] == "wrong-state")


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
