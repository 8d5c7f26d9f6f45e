"""Portal v1 down to the embedded systems, in both local modes: what the account of the caller sees and does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from experience_apis.portal.v1.service import Portal
from process_apis.catalogue.v1.service import Catalogue
from process_apis.customer_account.v1.service import CustomerAccount
from process_apis.events.v1.service import Events
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from process_apis.quote_to_cash.v1.service import QuoteToCash
from process_apis.returns.v1.service import Returns
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.v1.service import Crm
from system_apis.erp.documents import Basket, BasketLine
from system_apis.erp.port import ProductFilter
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running

SERVICES = (
    Erp, Crm, Logistics, Payments, Commerce, Notifications, Events, Returns, OrderToFulfillment, QuoteToCash,
    CustomerAccount, Catalogue, Portal,
)  # fmt: skip
PORTAL = "/experience/portal/v1"
LINES: list[dict[str, Any]] = [{"sku": "BRG-6204", "quantity": 2}, {"sku": "BRG-6000", "quantity": 3}]
SETTLED_S = 20


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module", params=["direct", "verify"])
def world(request: pytest.FixtureRequest, home: Path) -> Iterator[World]:
    with running(home / request.param, request.param, SERVICES) as world:
        yield world


@pytest.fixture(scope="module")
def completed(world: World) -> Any:
    """An order of ACME that went all the way."""
    answer = place(world, "acme", "PO-1001", wait_s=SETTLED_S)
    assert answer.json()["status"] == "completed", answer.text
    return answer.json()


def place(world: World, who: str, number: str, *, key: str = "", wait_s: int = 0, **changed: Any) -> Any:
    body = {"reference": number, "lines": LINES, **changed}
    return world.ask(who, "POST", f"{PORTAL}/orders", body=body, key=key or f"key-{number}", wait_s=wait_s)


def net_in_erp(world: World, account_id: str, sku: str, quantity: int = 1) -> tuple[int, str]:
    line = world.run(world.erp.price(account_id, Basket(lines=(BasketLine(sku=sku, quantity=quantity),)))).lines[0]
    return line.net.amount_minor, line.net.currency


def test_products_page_by_page_at_the_callers_own_prices(world: World) -> None:
    skus = [product.sku for product in world.run(world.erp.list_products(ProductFilter(), "", 1_000))]
    for who, account_id in (("acme", "ACME"), ("globex", "GLOBEX")):
        items = world.collect(who, f"{PORTAL}/products", limit=25)
        assert [item["sku"] for item in items] == skus
        for item in items:
            net = item["price"]["net"]
            assert (net["amount_minor"], net["currency"]) == net_in_erp(world, account_id, item["sku"])
            assert item["available"] == world.run(world.erp.get_availability(item["sku"])).available
            assert item["account_id"] == account_id


def test_products_are_searched_by_words_and_category(world: World) -> None:
    assert [one["sku"] for one in world.collect("acme", f"{PORTAL}/products", query="6204-2rs")] == ["BRG-6204"]
    seals = world.collect("acme", f"{PORTAL}/products", category="Seals", limit=2)
    assert len(seals) == 3
    assert {one["category"] for one in seals} == {"Seals"}


def test_a_product_shows_what_a_customer_may_know_and_no_more(world: World) -> None:
    product = world.get("acme", f"{PORTAL}/products/BRG-6204", quantity=500)
    assert product["price"]["net"]["amount_minor"] == net_in_erp(world, "ACME", "BRG-6204", 500)[0]
    assert set(product) == {
        "sku", "name", "category", "unit", "description", "status", "weight_g", "price", "available", "account_id",
    }  # fmt: skip
    assert set(product["price"]) == {"quantity", "unit_price", "discount_bp", "net", "tax_rate_bp"}


def test_an_unknown_product_is_not_there(world: World) -> None:
    answer = world.ask("acme", "GET", f"{PORTAL}/products/NO-SUCH")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-product")


def test_an_order_is_accepted_and_goes_to_its_invoice(world: World, completed: Any) -> None:
    order = world.get("acme", f"{PORTAL}/orders/{completed['order_id']}")
    assert (order["status"], order["reference"], order["account_id"]) == ("completed", "PO-1001", "ACME")
    priced = [(line["net"]["amount_minor"], line["net"]["currency"]) for line in order["lines"]]
    assert priced == [net_in_erp(world, "ACME", line["sku"], line["quantity"]) for line in LINES]
    invoice = world.get("acme", f"{PORTAL}/invoices/{order['invoice_ids'][0]}")
    assert (invoice["total"], invoice["reference"]) == (order["total"], "PO-1001")
    shipments = world.collect("acme", f"{PORTAL}/shipments", order_id=order["order_id"], limit=1)
    assert [one["shipment_id"] for one in shipments] == order["shipment_ids"]
    detail = world.get("acme", f"{PORTAL}/shipments/{order['shipment_ids'][0]}")
    assert (detail["order_id"], detail["events"][0]["status"]) == (order["order_id"], "released")


def test_an_order_tells_nothing_of_what_is_behind_it(world: World, completed: Any) -> None:
    assert not {"sales_order_id", "allocations", "payment_id", "channel_order_id", "channel"} & set(completed)
    timeline = world.get("acme", f"{PORTAL}/orders/{completed['order_id']}/timeline")
    assert len(timeline["entries"]) > 5
    assert all(set(entry) == {"at", "step", "outcome"} for entry in timeline["entries"])
    moments = [entry["at"] for entry in timeline["entries"]]
    assert moments == sorted(moments)


def test_placing_answers_at_once_with_the_place_to_look(world: World) -> None:
    answer = place(world, "acme", "PO-1002")
    assert answer.status_code == 202
    assert answer.headers["location"] == f"{PORTAL}/orders/{answer.json()['order_id']}"
    assert answer.json()["status"] == "accepted"
    assert world.get("acme", answer.headers["location"])["reference"] == "PO-1002"


def test_one_key_makes_one_order(world: World) -> None:
    first = place(world, "acme", "PO-1003", key="once")
    assert place(world, "acme", "PO-1003", key="once").json()["order_id"] == first.json()["order_id"]
    other = place(world, "acme", "PO-1003-B", key="once")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert place(world, "globex", "PO-1003", key="once").json()["order_id"] != first.json()["order_id"]


def test_an_unknown_product_in_an_order_ends_rejected_with_the_reason(world: World) -> None:
    lines = [{"sku": "NO-SUCH", "quantity": 1}]
    order = place(world, "acme", "PO-1004", lines=lines, wait_s=SETTLED_S).json()
    assert (order["status"], order["problem"]) == ("rejected", "unknown-product")
    assert order["reason"]
    refused = world.ask("acme", "POST", f"{PORTAL}/orders/{order['order_id']}/cancel", key="late-cancel")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/wrong-state")


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"lines": []}, "/lines"),
        ({"lines": [*LINES, LINES[0]]}, "/lines/2/sku"),
        ({"lines": [{"sku": "BRG-6204", "quantity": 0}]}, "/lines/0/quantity"),
        ({"payment": "card"}, "/card_token"),
        ({"account_id": "GLOBEX"}, "/account_id"),
        ({"reference": ""}, "/reference"),
    ],
)
def test_a_body_that_makes_no_order_is_refused_with_its_place(
    world: World, changed: dict[str, Any], pointer: str
) -> None:
    answer = place(world, "acme", "PO-1005", **changed)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid-body")
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]


def test_orders_are_listed_newest_first_and_by_status_and_reference(world: World, completed: Any) -> None:
    references = [f"PO-20{n}" for n in range(3)]
    placed = [place(world, "globex", reference, wait_s=SETTLED_S).json() for reference in references]
    listed = [order["order_id"] for order in world.collect("globex", f"{PORTAL}/orders", limit=2)]
    assert listed[:3] == [order["order_id"] for order in placed[::-1]]
    assert [one["reference"] for one in world.collect("globex", f"{PORTAL}/orders", reference="PO-201")] == ["PO-201"]
    assert {one["status"] for one in world.collect("globex", f"{PORTAL}/orders", status="completed")} == {"completed"}
    assert completed["order_id"] not in listed


def test_what_belongs_to_another_account_is_not_there(world: World, completed: Any) -> None:
    order_id = completed["order_id"]
    records = [
        ("/orders/{}", order_id),
        ("/orders/{}/timeline", order_id),
        ("/shipments/{}", completed["shipment_ids"][0]),
        ("/invoices/{}", completed["invoice_ids"][0]),
    ]
    for path, record_id in records:
        foreign, missing = (
            world.ask("globex", "GET", PORTAL + path.format(one)) for one in (record_id, f"{record_id}-x")
        )
        told = [{**answer.json(), "instance": "", "request_id": ""} for answer in (foreign, missing)]
        assert told[0]["type"] == "/problems/not-found"
        assert told[0] == told[1]
        assert world.ask("acme", "GET", PORTAL + path.format(record_id)).status_code == 200
    cancel = world.ask("globex", "POST", f"{PORTAL}/orders/{order_id}/cancel", key="foreign-cancel")
    assert (cancel.status_code, cancel.json()["type"]) == (404, "/problems/not-found")
    for path in ("/shipments", "/invoices"):
        assert {one["account_id"] for one in world.collect("globex", PORTAL + path, limit=1)} <= {"GLOBEX"}
    assert world.collect("globex", f"{PORTAL}/shipments", order_id=order_id) == []


def test_an_order_is_cancelled_before_it_is_handed_over(world: World, home: Path, request: Any) -> None:
    mode = request.node.callspec.params["world"]
    erp = sqlite3.connect(home / mode / "systems" / "erp.sqlite", isolation_level=None)
    erp.execute("BEGIN IMMEDIATE")  # the order can't reserve before this ends
    order = place(world, "acme", "PO-1006").json()
    path = f"{PORTAL}/orders/{order['order_id']}"
    assert world.ask("acme", "POST", f"{path}/cancel", key="cancel-1").status_code == 202
    erp.execute("ROLLBACK")
    erp.close()
    cancelled = world.ask("acme", "POST", f"{path}/cancel", key="cancel-2", wait_s=SETTLED_S)
    assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    assert world.get("acme", path)["invoice_ids"] == []


def test_a_shipped_order_is_not_cancelled(world: World, completed: Any) -> None:
    refused = world.ask("acme", "POST", f"{PORTAL}/orders/{completed['order_id']}/cancel", key="too-late")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/already-shipped")


def test_the_account_with_its_headroom(world: World, completed: Any) -> None:
    account = world.get("acme", f"{PORTAL}/account")
    credit = world.run(world.erp.get_credit_status("ACME"))
    assert credit.headroom
    assert account["account_id"] == "ACME"
    assert account["credit"]["headroom"] == {"amount_minor": credit.headroom.amount_minor, "currency": "EUR"}
    assert world.get("globex", f"{PORTAL}/account")["credit"]["currency"] == "USD"


@pytest.mark.parametrize("path", ["/products", "/products/BRG-6204", "/orders", "/shipments", "/invoices", "/account"])
def test_a_caller_without_an_account_is_told_so(world: World, path: str) -> None:
    for who in ("nobody", "platform"):
        answer = world.ask(who, "GET", PORTAL + path)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/account-required")


def followed(world: World, who: str, order_id: str, last: str | None = None) -> tuple[int, list[dict[str, Any]]]:
    """The events of an order as the stream sends them within a moment; a longer one where nothing came in the first."""
    headers = {"authorization": f"Bearer {who}", "accept": "text/event-stream"}
    headers |= {"last-event-id": last} if last is not None else {}
    lines: list[str] = []
    for moment_s in ("0.3", "5"):
        asked = {**headers, "prefer": f"wait={moment_s}"}
        answer = world.run(world.client.get(f"{PORTAL}/orders/{order_id}/events", headers=asked))
        if answer.status_code != 200:
            return answer.status_code, [answer.json()]
        if lines := [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]:
            break
    return 200, [json.loads(line) for line in lines]


def test_an_order_is_followed_by_its_events_and_taken_up_after_the_last(world: World, completed: Any) -> None:
    order_id = completed["order_id"]
    status, events = followed(world, "acme", order_id)
    kinds = [event["type"] for event in events]
    assert status == 200
    assert [kind for kind in kinds if kind.startswith(("order.", "inventory."))] == [
        "order.accepted", "inventory.allocated", "order.approved", "order.confirmed", "order.completed",
    ]  # fmt: skip
    assert {event["order_id"] for event in events} == {order_id}
    assert next(event for event in events if event["type"] == "invoice.posted")["invoice_id"]
    later = followed(world, "acme", order_id, events[2]["id"])[1]
    assert later[: len(events) - 3] == events[3:]  # its delivery may be told of meanwhile
    assert not {event["id"] for event in events} & {event["id"] for event in later[len(events) - 3 :]}


def test_only_the_account_of_an_order_follows_it(world: World, completed: Any) -> None:
    assert followed(world, "globex", completed["order_id"])[0] == 404
    assert followed(world, "acme", "ord-none")[0] == 404


@pytest.mark.parametrize("last", ["evt-" + "q" * 26, "7", "'; drop"])
def test_an_unknown_place_to_go_on_from_is_refused(world: World, completed: Any, last: str) -> None:
    status, (problem,) = followed(world, "acme", completed["order_id"], last)
    assert (status, problem["errors"][0]["header"]) == (400, "Last-Event-ID")
