"""Returns over HTTP: the ways in which they end well, and what each leaves in the systems of record."""

from __future__ import annotations

from tests.process_apis.returns.returns_world import (
    BEARING,
    RETURNS,
    SEAL,
    ask_back,
    bill,
    came,
    events_of,
    letters,
    on_hand,
    said,
    seen,
    sell,
)
from tests.process_apis.world import World

RESTOCK = {"lines": [{"sku": BEARING, "restocked": 3}]}


def money(cents: int) -> dict[str, object]:
    return {"amount_minor": cents, "currency": "EUR"}


def test_what_comes_back_is_restocked_and_credited_to_the_account(world: World) -> None:
    sale, before = sell(world), on_hand(world, BEARING)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    assert (goods["status"], goods["value"]) == ("authorised", money(3_570))
    assert goods["rma"].startswith("RET-")
    goods = said(world, goods["return_id"], "receive", came((BEARING, 3)))
    assert (goods["status"], goods["lines"][0]["received"]) == ("received", 3)
    assert on_hand(world, BEARING) == before
    goods = said(world, goods["return_id"], "inspect", RESTOCK)
    assert (goods["status"], goods["credited_by"], goods["refunded"]) == ("closed", "account", None)
    assert goods["credit"] == money(3_570)
    assert on_hand(world, BEARING) == before + 3
    (memo,) = world.get("acme", "/system/erp/v1/credit-memos", sales_order_id=sale.sales_order_id)["items"]
    assert (goods["credit_memo_ids"], memo["total"]) == ([memo["credit_memo_id"]], money(3_570))
    (invoice,) = world.get("platform", "/system/erp/v1/invoices", sales_order_id=sale.sales_order_id)["items"]
    assert invoice["credited"] == money(3_570)
    assert [(one.template, one.language, one.to) for one in letters(world, goods["rma"])] == [
        ("return_authorised", "de", "katrin.vogel@acme-antrieb.example"),
        ("return_credited", "de", "katrin.vogel@acme-antrieb.example"),
    ]
    assert events_of(world, sale.order_id) == ["return.initiated", "return.received", "return.credited"]


def test_what_was_paid_by_card_goes_back_to_the_card(world: World) -> None:
    sale, seals = sell(world, card=True), on_hand(world, SEAL)
    goods = ask_back(world, sale.wish((BEARING, 2), (SEAL, 1)))
    said(world, goods["return_id"], "receive", came((BEARING, 2), (SEAL, 1)))
    lines = [{"sku": BEARING, "restocked": 2}, {"sku": SEAL, "scrapped": 1, "grade": "damaged"}]
    goods = said(world, goods["return_id"], "inspect", {"lines": lines})
    assert (goods["status"], goods["credited_by"]) == ("closed", "card")
    assert goods["refunded"] == goods["credit"] == money(3_570)
    payment = world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")
    assert (payment["status"], payment["refunded"]) == ("partially_refunded", money(3_570))
    assert on_hand(world, SEAL) == seals, "what is scrapped is credited and not sold again"


def test_less_came_than_was_announced_and_the_rest_can_be_returned_later(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 10)))
    said(world, goods["return_id"], "receive", came((BEARING, 4)))
    goods = said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 4}]})
    assert (goods["status"], goods["credit"]) == ("closed", money(4_760))
    assert ask_back(world, sale.wish((BEARING, 7)))["problem"] == "quantity-exceeded"
    assert ask_back(world, sale.wish((BEARING, 6)))["status"] == "authorised"


def test_something_else_came_and_is_not_credited(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 2)))
    goods = said(world, goods["return_id"], "receive", came((BEARING, 1), ("DRV-MOT150", 1)))
    assert [(line["sku"], line["received"]) for line in goods["lines"]] == [(BEARING, 1), ("DRV-MOT150", 1)]
    lines = [{"sku": BEARING, "restocked": 1}, {"sku": "DRV-MOT150", "rejected": 1}]
    goods = said(world, goods["return_id"], "inspect", {"lines": lines})
    assert (goods["status"], goods["credit"]) == ("closed", money(1_190))
    assert [line["rejected"] for line in goods["lines"]] == [0, 1]


def test_goods_that_are_rejected_are_not_credited(world: World) -> None:
    sale, before = sell(world, card=True), on_hand(world, BEARING)
    goods = ask_back(world, sale.wish((BEARING, 3)))
    said(world, goods["return_id"], "receive", came((BEARING, 3)))
    verdict = {"lines": [{"sku": BEARING, "rejected": 3, "grade": "used"}], "reason": "They were mounted."}
    goods = said(world, goods["return_id"], "inspect", verdict)
    assert (goods["status"], goods["credit"], goods["credited_by"]) == ("closed", money(0), None)
    assert on_hand(world, BEARING) == before
    assert world.get("platform", f"/system/payments/v1/payments/{sale.payment_id}")["refunded"] == money(0)
    last = letters(world, goods["rma"])[-1]
    assert (last.template, "They were mounted." in last.text) == ("return_closed", True)
    assert events_of(world, sale.order_id) == ["return.initiated", "return.received"]


def test_units_that_nobody_names_are_rejected(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 5), (SEAL, 2)))
    said(world, goods["return_id"], "receive", came((BEARING, 5), (SEAL, 2)))
    goods = said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 2}]})
    assert [line["rejected"] for line in goods["lines"]] == [3, 2]
    assert goods["credit"] == money(2_380)


def test_high_values_wait_for_a_decision(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200})
    goods = ask_back(world, sale.wish((BEARING, 100)))
    assert (goods["status"], goods["waits_for_decision"]) == ("requested", True)
    goods = said(world, goods["return_id"], "decide", {"approved": True})
    assert (goods["status"], goods["waits_for_decision"]) == ("authorised", False)


def test_a_cancelled_order_waits_for_its_invoice_and_knows_no_decision(world: World) -> None:
    sale = sell(world, bearings=200, shipped={BEARING: 200}, invoiced=False)
    goods = ask_back(world, sale.wish((BEARING, 200), reason="order_cancelled"), who="platform", wait_s=1)
    assert goods["status"] == "requested"
    world.run(bill(world, sale))
    goods = seen(world, goods, "authorised")
    assert goods["value"] == money(238_000)


def test_a_return_goes_where_it_is_wanted(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 1), warehouse="ROT"))
    assert goods["lines"][0]["warehouse"] == "ROT"
    said(world, goods["return_id"], "receive", came((BEARING, 1)))
    before = _in(world, "ROT")
    said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 1}]})
    assert _in(world, "ROT") == before + 1


def test_returns_are_listed_newest_first(world: World) -> None:
    sale, other = sell(world), sell(world)
    first = ask_back(world, sale.wish((BEARING, 1)))
    second = ask_back(world, sale.wish((BEARING, 1)))
    third = ask_back(world, other.wish((BEARING, 99)))
    of_order = world.collect("acme", RETURNS, order_id=sale.order_id, limit=1)
    assert [one["return_id"] for one in of_order] == [second["return_id"], first["return_id"]]
    rejected = world.collect("acme", RETURNS, order_id=other.order_id, status="rejected")
    assert [one["return_id"] for one in rejected] == [third["return_id"]]
    since = world.collect("acme", RETURNS, account_id="ACME", updated_since=third["updated_at"])
    assert third["return_id"] in [one["return_id"] for one in since]
    assert first["return_id"] not in [one["return_id"] for one in since]
    assert world.collect("nobody", RETURNS) == []


def test_the_timeline_tells_what_was_done(world: World) -> None:
    sale = sell(world)
    goods = ask_back(world, sale.wish((BEARING, 1)))
    said(world, goods["return_id"], "receive", came((BEARING, 1)))
    said(world, goods["return_id"], "inspect", {"lines": [{"sku": BEARING, "restocked": 1}]})
    entries = world.get("acme", f"{RETURNS}/{goods['return_id']}/timeline")["entries"]
    done = [
        (one["step"], one["operation"]) for one in entries if one["operation"] not in ("get_account", "list_contacts")
    ]
    assert done[0] == ("accept", "create_return")
    assert ("authorise", "create_return") in done
    assert done[-6:] == [
        ("dispose", "inspect_return"),
        ("credit", "credit_return"),
        ("credit", "get_credit_memo"),
        ("credit", "list_payments"),
        ("close", "send_message"),
        ("completed", "returns"),
    ]


def _in(world: World, warehouse: str) -> int:
    positions = world.run(world.erp.get_availability(BEARING)).positions
    return sum(one.on_hand for one in positions if one.warehouse == warehouse)
