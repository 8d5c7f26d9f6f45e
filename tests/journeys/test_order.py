"""From token to invoice: what a customer's portal does with one order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

from tests.journeys.clients import PORTAL, Client, an_order, problem, steps
from tests.journeys.gateways import Gateway
from tests.journeys.ledgers import discrepancies, read_ledgers, stock_discrepancies

Clients = Callable[[str], Client]


def test_an_order_from_product_to_invoice(gateway: Gateway, client: Clients) -> None:
    portal = client("portal-demo")
    product = portal.read(f"{PORTAL}/products/BRG-6204", quantity=20)
    assert product["account_id"] == "ACME"
    assert product["price"]["unit_price"]["amount"] == {"amount_minor": 410, "currency": "EUR"}, "ACME's own price"
    assert client("portal-demo-2").read(f"{PORTAL}/products/BRG-6204")["price"]["unit_price"]["amount"] == {
        "amount_minor": 449,
        "currency": "USD",
    }
    before = read_ledgers(gateway.home)

    reference = f"PO-{uuid4().hex}"
    accepted = portal.post(f"{PORTAL}/orders", an_order(reference, ("BRG-6204", 20), ("BRG-6206", 2)))
    assert accepted.status_code == 202, accepted.text
    order_id = accepted.json()["order_id"]
    assert accepted.headers["location"] == f"{PORTAL}/orders/{order_id}"
    order = portal.ended(order_id)
    assert (order["status"], order["reference"], order["payment"]) == ("completed", reference, "on_account")

    [invoice_id] = order["invoice_ids"]
    invoice = portal.read(f"{PORTAL}/invoices/{invoice_id}")
    assert invoice["reference"] == reference
    assert invoice["total"] == order["total"]
    nets = [line["net"]["amount_minor"] for line in invoice["lines"]]
    assert nets[0] == product["price"]["net"]["amount_minor"]
    assert invoice["net"]["amount_minor"] == sum(nets)
    assert invoice["tax"]["amount_minor"] == (sum(nets) * 1900 + 5000) // 10000, "19 % on the order's sum, half up"
    assert invoice["total"]["amount_minor"] == sum(nets) + invoice["tax"]["amount_minor"]

    after = portal.read(f"{PORTAL}/products/BRG-6204")
    assert after["available"] == product["available"] - 20
    now = read_ledgers(gateway.home)
    assert discrepancies(now, [order]) == []
    assert stock_discrepancies(before, now, [order]) == []

    entries = portal.read(f"{PORTAL}/orders/{order_id}/timeline")["entries"]
    done = [step.partition(":")[0] for step in steps(entries)]
    wanted = ["check_account", "price", "check_credit", "reserve_stock", "post_order", "ship", "invoice", "write_back"]
    assert [step for step in dict.fromkeys(done) if step in wanted] == wanted
    assert entries[-1]["outcome"] == "completed"

    shipments = portal.read_all(f"{PORTAL}/shipments", order_id=order_id)
    assert sorted(one["shipment_id"] for one in shipments) == sorted(order["shipment_ids"])
    quantities = [line["quantity"] for one in shipments for line in one["lines"]]
    assert sum(quantities) == 22
    tracked = portal.read(f"{PORTAL}/shipments/{shipments[0]['shipment_id']}")
    assert [event["status"] for event in tracked["events"]][:3] == ["released", "picked", "dispatched"]
    assert tracked["tracking_number"]
    assert order_id in [one["order_id"] for one in portal.read_all(f"{PORTAL}/orders", reference=reference)]
    assert invoice_id in [one["invoice_id"] for one in portal.read_all(f"{PORTAL}/invoices", limit=2)]


def test_prefer_wait_gives_the_settled_order_at_once(client: Clients) -> None:
    answer = client("portal-demo").post(
        f"{PORTAL}/orders", an_order(f"PO-{uuid4().hex}", ("BRG-6201", 1)), headers={"Prefer": "wait=20"}
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "completed")


def test_one_key_makes_one_order(gateway: Gateway, client: Clients) -> None:
    portal, key = client("portal-demo"), uuid4().hex
    body = an_order(f"PO-{key}", ("BRG-6206", 3))
    first = portal.post(f"{PORTAL}/orders", body, key=key)
    again = portal.post(f"{PORTAL}/orders", body, key=key)
    assert "idempotency-replayed" not in first.headers
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert problem(portal.post(f"{PORTAL}/orders", an_order(f"PO-{key}", ("BRG-6206", 4)), key=key)) == (
        422,
        "idempotency-key-reused",
    )
    order = portal.ended(first.json()["order_id"])
    assert order["status"] == "completed"
    now = read_ledgers(gateway.home)
    assert [one.customer_reference for one in now.erp.orders].count(f"PO-{key}") == 1
    assert discrepancies(now, [order]) == []


def test_a_key_belongs_to_its_client(client: Clients) -> None:
    key = uuid4().hex
    body = an_order(f"PO-{key}", ("BRG-6000", 1))
    orders = [client(name).place(body, key=key) for name in ("portal-demo", "portal-demo-2")]
    assert [order["status"] for order in orders] == ["completed", "completed"]
    assert {order["account_id"] for order in orders} == {"ACME", "GLOBEX"}


def test_a_card_is_charged_when_the_goods_have_left(gateway: Gateway, client: Clients) -> None:
    pixelfab = client("pixelfab")
    order = pixelfab.place(an_order(f"PO-{uuid4().hex}", ("BRG-6201", 2), card_token="card_ok"))
    assert (order["status"], order["payment"]) == ("completed", "card")
    now = read_ledgers(gateway.home)
    assert discrepancies(now, [order]) == []
    [payment] = [one for one in now.payments if one.order_reference == order["order_id"]]
    assert (payment.status, payment.captured_minor) == ("captured", order["total"]["amount_minor"])
    assert pixelfab.read(f"{PORTAL}/invoices/{order['invoice_ids'][0]}")["status"] == "paid"


def test_an_order_is_cancelled_while_the_erp_is_slow(gateway: Gateway, client: Clients) -> None:
    """The flow stands before its first write, so the cancel comes in time."""
    portal = client("portal-demo")
    before = read_ledgers(gateway.home)
    with closing(sqlite3.connect(gateway.home / "systems" / "erp.sqlite", isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        order_id = portal.place(an_order(f"PO-{uuid4().hex}", ("BRG-6308", 1)), wait_s=0)["order_id"]
        asked = portal.post(f"{PORTAL}/orders/{order_id}/cancel")
        assert asked.status_code == 202, asked.text
        somebody.execute("ROLLBACK")
    order = portal.ended(order_id)
    assert (order["status"], order["invoice_ids"]) == ("cancelled", [])
    now = read_ledgers(gateway.home)
    assert discrepancies(now, [order]) == []
    assert stock_discrepancies(before, now, [order]) == []
    assert portal.post(f"{PORTAL}/orders/{order_id}/cancel").json()["status"] == "cancelled"


def test_what_has_left_is_not_cancelled(client: Clients) -> None:
    portal = client("portal-demo")
    order = portal.place(an_order(f"PO-{uuid4().hex}", ("BRG-6000", 1)))
    assert problem(portal.post(f"{PORTAL}/orders/{order['order_id']}/cancel")) == (409, "already-shipped")
