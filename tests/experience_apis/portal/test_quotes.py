"""Quotes in the portal: a customer sees what is offered, answers it, and follows it to the invoice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from experience_apis.portal.v1.service import Portal
from process_apis.catalogue.v1.service import Catalogue
from process_apis.customer_account.v1.service import CustomerAccount
from process_apis.events.v1.service import Events
from tests.process_apis.quote_to_cash.quote_world import BEARING, SERVICES, Ahead, extra, request, said, sent, wish
from tests.process_apis.world import World, running

QUOTES = "/experience/portal/v1/quotes"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    services = (*SERVICES, Events, CustomerAccount, Catalogue, Portal)
    with running(tmp_path_factory.mktemp("portal"), "verify", services, extra=extra(Ahead())) as world:
        yield world


def answer(world: World, quote: Any, what: str, who: str = "acme", **body: Any) -> Any:
    path = f"{QUOTES}/{quote['quote_id']}/{what}"
    return world.ask(who, "POST", path, body={"revision": 1, **body}, key=f"{what}-{quote['quote_id']}", wait_s=8)


def test_a_customer_accepts_a_quote_and_sees_its_order(world: World) -> None:
    quote = sent(world)
    offered = world.get("acme", f"{QUOTES}/{quote['quote_id']}")
    assert (offered["status"], offered["total"], offered["number"]) == ("sent", quote["total"], quote["crm_quote_id"])
    assert offered == world.collect("acme", QUOTES, status="sent", limit=1)[0]
    accepted = answer(world, quote, "accept", reference="PO-PORTAL")
    assert accepted.status_code == 202, accepted.text
    late = answer(world, quote, "decline")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/wrong-state")


def test_a_customer_declines_a_quote(world: World) -> None:
    quote = sent(world)
    assert answer(world, quote, "decline", reason="Too dear.").json()["status"] == "declined"


def test_a_superseded_revision_is_refused(world: World) -> None:
    quote = sent(world)
    said(world, quote, "revise", lines=[{"sku": BEARING, "quantity": 11}])
    late = answer(world, quote, "accept")
    assert (late.status_code, late.json()["type"]) == (409, "/problems/quote-superseded")


def test_prices_that_were_not_approved_are_not_shown(world: World) -> None:
    quote = request(world, wish((BEARING, 10, 2_000)))
    assert quote["waits_for_approval"] and quote["total"]
    shown = world.get("acme", f"{QUOTES}/{quote['quote_id']}")
    assert (shown["status"], shown["total"], shown["lines"][0]["discount_bp"]) == ("requested", None, 0)
    assert "over_limit" not in shown and shown["lines"][0]["unit_price"] is None


def test_another_accounts_quote_is_not_there(world: World) -> None:
    quote = sent(world)
    assert world.ask("globex", "GET", f"{QUOTES}/{quote['quote_id']}").status_code == 404
    for what in ("accept", "decline"):
        assert answer(world, quote, what, who="globex").status_code == 404
    assert world.collect("globex", QUOTES) == []
