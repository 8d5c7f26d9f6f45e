"""Returns that are refused, cancelled, late, said twice, or somebody else's: what is answered and what is undone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from governance.contract import operation_of
from process_apis.order_to_fulfillment.flow import ORDER_TO_FULFILLMENT
from process_apis.order_to_fulfillment.steps import OrderSteps
from process_apis.returns.documents import POSTED_IN
from process_apis.returns.v1.contract import ReturnsV1
from tests.process_apis.returns.returns_world import (
    BEARING,
    RETURNS,
    SEAL,
    Ahead,
    Sold,
    ask_back,
    came,
    events_of,
    letter,
    said,
    say,
    seen,
    sell,
)
from tests.process_apis.world import World


def expected(world: World, sale: Sold) -> list[tuple[str, str]]:
    """The ERP's returns of an order, by number and status."""
    found = world.get("platform", "/system/erp/v1/returns", sales_order_id=sale.sales_order_id)["items"]
    return [(one["return_id"], one["status"]) for one in found]


def end_of(goods: Any) -> tuple[str, str | None]:
    return goods["status"], goods["problem"]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (((BEARING, 11),), "quantity-exceeded"),
        (((BEARING, 6), (BEARING, 5)), "quantity-exceeded"),
        ((("DRV-MOT150", 1),), "not-found"),
        (((BEARING, 1), (SEAL, 5)), "quantity-exceeded"),
    ],
)
def test_more_than_was_shipped_does_not_come_back(
    world: World, lines: tuple[tuple[str, int], ...], problem: str
) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish(*lines))
    assert end_of(goods) == ("rejected", problem)
    assert expected(world, sale) == []


def test_what_was_sold_but_has_not_left_does_not_come_back(world: World) -> None:
    sale = sell(world, shipped={SEAL: 4})
    assert end_of(ask_back(world, sale.wish((BEARING, 1)))) == ("rejected", "quantity-exceeded")


def test_what_is_on_its_way_back_is_not_returned_twice(world: World) -> None:
    sale = sell(world)
    assert ask_back(world, sale.wish((BEARING, 6)))["status"] == "authorised"
    assert end_of(ask_back(world, sale.wish((BEARING, 5)))) == ("rejected", "quantity-exceeded")
    assert ask_back(world, sale.wish((BEARING, 4)))["status"] == "authorised"


def test_it_is_refused_after_the_window(world: World, clock: Ahead) -> None:
    sale = sell(world)
    clock.ahead += timedelta(days=61)
    goods = ask_back(world, sale.wish((BEARING, 1)))
    assert end_of(goods) == ("rejected", "return-window-closed")
    assert goods["end_reason"] in letter(world, goods["return_id"], "return_closed").text
    after = ask_back(world, sale.wish((BEARING, 1), reason="order_cancelled"), who="platform")
    assert after["status"] == "authorised"


def test_a_customer_does_not_pass_by_the_decision_in_the_name_of_the_process(world: World) -> None:
    sale = sell(world)
    wish = sale.wish((BEARING, 1), reason="order_cancelled")
    answer = world.ask("acme", "POST", RETURNS, body=wish, key="pretended")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")


def test_an_order_without_an_invoice_is_not_returned(world: World) -> None:
    sale = sell(world, invoiced=False)
    assert end_of(ask_back(world, sale.wish((BEARING, 1)))) == ("rejected", "wrong-state")


def test_a_no_undoes_nothing_because_nothing_was_done(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200})
    goods = ask_back(world, sale.wish((BEARING, 150)))
    goods = said(world, goods["return_id"], "decide", {"approved": False, "reason": "They were made to measure."})
    assert end_of(goods) == ("rejected", "return-not-authorised")
    assert goods["end_reason"] == "They were made to measure."
    assert expected(world, sale) == []
    assert say(world, goods["return_id"], "decide", {"approved": True}, key="later").status_code == 409


def test_whoever_asked_for_a_return_does_not_decide_about_it(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200})
    goods = ask_back(world, sale.wish((BEARING, 150)), who="platform")
    for approved in (True, False):
        refused = say(world, goods["return_id"], "decide", {"approved": approved}, key=f"own-{approved}")
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/four-eyes")
    assert said(world, goods["return_id"], "decide", {"approved": True}, who="manager")["status"] == "authorised"


def test_goods_that_never_come_let_the_return_expire(world: World, clock: Ahead) -> None:
    sale = sell(world)
    goods = seen(world, ask_back(world, sale.wish((BEARING, 10))), "authorised")
    clock.ahead += timedelta(days=31)
    goods = seen(world, goods, "expired")
    assert goods["problem"] == "return-expired"
    assert expected(world, sale) == [(goods["rma"], "cancelled")]
    assert say(world, goods["return_id"], "receive", came((BEARING, 1))).status_code == 409
    assert ask_back(world, sale.wish((BEARING, 10)))["status"] == "authorised", "they may still come under a new number"


def test_it_is_cancelled_before_the_goods_come(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    cancelled = said(world, goods["return_id"], "cancel", {"reason": "We keep them."})
    assert (cancelled["status"], cancelled["end_reason"]) == ("cancelled", "We keep them.")
    assert expected(world, sale) == [(goods["rma"], "cancelled")]
    again = said(world, goods["return_id"], "cancel", {}, key="again")
    assert again["end_reason"] == "We keep them."
    assert say(world, goods["return_id"], "receive", came((BEARING, 3))).status_code == 409
    entries = world.get("acme", f"{RETURNS}/{goods['return_id']}/timeline")["entries"]
    assert ("undo:authorise", "undone") in [(one["step"], one["outcome"]) for one in entries]
    assert events_of(world, sale.order_id) == ["return.initiated"]


def test_it_is_not_cancelled_once_the_goods_are_here(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    said(world, goods["return_id"], "receive", came((BEARING, 3)))
    refused = say(world, goods["return_id"], "cancel", {})
    assert (refused.status_code, refused.json()["state"]) == (409, "received")


def test_a_key_makes_one_return_and_stands_for_one_wish(world: World) -> None:
    sale = sell(world)
    first = ask_back(world, sale.wish((BEARING, 2)), key="only-once")
    assert ask_back(world, sale.wish((BEARING, 2)), key="only-once")["return_id"] == first["return_id"]
    other = world.ask("acme", "POST", RETURNS, body=sale.wish((BEARING, 3)), key="only-once")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(expected(world, sale)) == 1


def test_an_order_and_the_sales_order_of_another_are_not_returned(world: World) -> None:
    """Or what one order was sold for would be credited for goods of another, and refunded to the card of a third."""
    cheap, dear = sell(world, card=True), sell(world, bearings=20, shipped={BEARING: 20})
    goods = ask_back(world, {**cheap.wish((BEARING, 3)), "sales_order_id": dear.sales_order_id})
    assert end_of(goods) == ("rejected", "other-sales-order")
    assert (
        goods["end_reason"]
        == f"sales_order_id: {dear.sales_order_id} is not what order {cheap.order_id} was posted as."
    )
    assert expected(world, dear) == expected(world, cheap) == []


def test_the_step_that_posts_an_order_is_called_as_returns_know_it() -> None:
    (row,) = (row for row in ORDER_TO_FULFILLMENT.rows if row.name == POSTED_IN)
    assert row.do is OrderSteps.post_order


def test_an_order_that_was_amended_is_known_by_its_last_sales_order(world: World) -> None:
    sale = sell(world, revision=3)
    assert ask_back(world, sale.wish((BEARING, 3)))["status"] == "authorised"


def test_a_receipt_and_an_inspection_count_once(world: World) -> None:
    sale = sell(world, card=True)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    said(world, goods["return_id"], "receive", came((BEARING, 3)), key="r-1")
    assert say(world, goods["return_id"], "receive", came((BEARING, 2)), key="r-2").status_code == 409
    verdict = {"lines": [{"sku": BEARING, "restocked": 3}]}
    said(world, goods["return_id"], "inspect", verdict, key="i-1")
    for key in ("i-1", "i-2"):
        assert say(world, goods["return_id"], "inspect", verdict, key=key).status_code in (202, 409)
    payment = world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")
    assert payment["refunded"]["amount_minor"] == 3_570, "one credit, however often it is said"
    assert "35,70" in letter(world, goods["rma"], "return_credited").text


@pytest.mark.parametrize(
    ("line", "remaining"),
    [
        ({"sku": BEARING, "restocked": 3}, 2),
        ({"sku": BEARING, "restocked": 1, "scrapped": 1, "rejected": 1}, 2),
        ({"sku": SEAL, "restocked": 1}, 0),
    ],
)
def test_more_than_came_is_not_accepted(world: World, line: dict[str, Any], remaining: int) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 5)))
    said(world, goods["return_id"], "receive", came((BEARING, 2)))
    refused = say(world, goods["return_id"], "inspect", {"lines": [line]})
    assert (refused.status_code, refused.json()["remaining"]) == (409, remaining)


def test_more_than_was_authorised_is_not_credited(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 2)))
    said(world, goods["return_id"], "receive", came((BEARING, 5)))
    refused = say(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 3}]})
    assert (refused.status_code, refused.json()["remaining"]) == (409, 2)


def test_nothing_is_said_out_of_turn(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 2)))
    assert say(world, goods["return_id"], "decide", {"approved": True}).status_code == 409
    early = say(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 2}]})
    assert (early.status_code, early.json()["needs"]) == (409, "received")


def test_who_decides_receives_and_inspects_are_told_apart_by_scope(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200})
    goods = ask_back(world, sale.wish((BEARING, 100)))
    found = world.direct("acme", ReturnsV1, lambda returns: returns.get_return(goods["return_id"]))
    assert found.waits_for_decision
    said_by = (ReturnsV1.create_return, ReturnsV1.decide_return, ReturnsV1.receive_return, ReturnsV1.inspect_return)
    assert [operation_of(method).scope for method in said_by] == [
        "returns.returns:write", "returns.decisions:write", "returns.receipts:write", "returns.inspections:write",
    ]  # fmt: skip


def test_others_see_nothing_and_say_nothing(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 2)))
    path = f"{RETURNS}/{goods['return_id']}"
    assert world.ask("globex", "GET", path).status_code == 404
    assert world.ask("globex", "POST", f"{path}/cancel", body={"account_id": "GLOBEX"}, key="g").status_code == 404
    assert world.ask("globex", "POST", f"{path}/cancel", body={"account_id": "ACME"}, key="g").status_code == 404
    theirs = {**sale.wish((BEARING, 1)), "account_id": "GLOBEX"}
    answer = world.ask("globex", "POST", RETURNS, body=theirs, key="theirs", wait_s=8).json()
    assert end_of(answer) == ("rejected", "not-found"), "another account's order looks like none"
