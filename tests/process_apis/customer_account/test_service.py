"""Customer account v1 over the embedded systems, in both local modes: one account's records, and no other's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from governance.contract import NotFound
from process_apis.customer_account.v1.contract import CustomerAccountV1
from process_apis.customer_account.v1.service import CustomerAccount
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from system_apis.canonical.entities import ShipmentLine
from system_apis.canonical.values import Address
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.drafts import AccountDetails
from system_apis.crm.v1.service import Crm
from system_apis.erp.documents import NewInvoice
from system_apis.erp.v1.service import Erp
from system_apis.logistics.port import ShipmentRequest
from system_apis.logistics.v1.service import Logistics
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World, running
from tests.system_apis.erp.material import order as erp_order

SERVICES = (Erp, Crm, Logistics, Payments, Commerce, OrderToFulfillment, CustomerAccount)
ACME = "/process/customer-account/v1/accounts/ACME"
GLOBEX = "/process/customer-account/v1/accounts/GLOBEX"
SHIP_TO = Address(name="Goods in", street="Kai 1", city="Hamburg", country="DE")


@pytest.fixture(scope="module", params=["direct", "verify"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("customer_account"), request.param, SERVICES) as world:
        yield world


def send(world: World, account_id: str, order_id: str, reference: str) -> str:
    """A shipment released at the warehouse; its id."""
    request = ShipmentRequest(
        account_id=account_id,
        order_reference=order_id,
        warehouse="HAM",
        lines=(ShipmentLine(sku="BRG-6204", quantity=2),),
        ship_to=SHIP_TO,
    )
    return world.run(world.logistics.release_shipment(request, reference)).shipment_id


def test_a_profile_is_what_crm_and_erp_know(world: World) -> None:
    profile = world.get("acme", ACME)
    account = world.run(world.crm.get_account("ACME"))
    terms = world.run(world.erp.get_terms("ACME"))
    credit = world.run(world.erp.get_credit_status("ACME"))
    assert credit.headroom
    assert (profile["name"], profile["sales_person"]) == (account.name, account.owner)
    assert profile["shipping_address"]["city"] == account.shipping_address.city
    assert profile["terms"]["payment_terms"] == terms.payment_terms
    assert profile["terms"]["headroom"]["amount_minor"] == credit.headroom.amount_minor


def test_an_account_that_finance_does_not_know_has_no_terms(world: World) -> None:
    details = AccountDetails(
        name="Newcomer", status="active", owner="Jana Brandt", billing_address=SHIP_TO, shipping_address=SHIP_TO
    )
    world.run(world.crm.put_account("NEWCOMER", details))
    assert world.get("platform", "/process/customer-account/v1/accounts/NEWCOMER")["terms"] is None


@pytest.mark.parametrize("rest", ["", "/orders", "/shipments", "/invoices"])
def test_another_account_is_not_there(world: World, rest: str) -> None:
    assert world.ask("acme", "GET", GLOBEX + rest).json()["type"] == "/problems/not-found"
    assert world.ask("nobody", "GET", ACME + rest).json()["type"] == "/problems/not-found"
    assert world.ask("platform", "GET", ACME + rest).status_code == 200


def test_an_account_that_does_not_exist_is_not_there(world: World) -> None:
    answer = world.ask("platform", "GET", "/process/customer-account/v1/accounts/NO-SUCH")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


def test_shipments_page_by_page_and_one_with_its_tracking(world: World) -> None:
    own = [send(world, "ACME", f"O-{n // 2}", f"sent-{n}") for n in range(5)]
    foreign = send(world, "GLOBEX", "O-9", "sent-9")
    assert [item["shipment_id"] for item in world.collect("acme", f"{ACME}/shipments", limit=2)] == own
    assert [item["shipment_id"] for item in world.collect("acme", f"{ACME}/shipments", order_id="O-1")] == own[2:4]
    detail = world.get("acme", f"{ACME}/shipments/{own[0]}")
    assert (detail["order_id"], detail["status"]) == ("O-0", "delivered")
    assert [event["status"] for event in detail["events"]] == ["released", "picked", "dispatched", "delivered"]
    assert detail["tracking_number"]
    assert world.ask("acme", "GET", f"{ACME}/shipments/{foreign}").status_code == 404
    assert world.ask("platform", "GET", f"{ACME}/shipments/{foreign}").status_code == 404
    assert world.ask("platform", "GET", f"{GLOBEX}/shipments/{foreign}").status_code == 200


def test_invoices_page_by_page_and_one_with_its_lines(world: World) -> None:
    async def invoiced(account_id: str, reference: str) -> str:
        posted = await world.erp.post_sales_order(erp_order(("BRG-6204", 2, 410), account_id=account_id), reference)
        invoice = NewInvoice(account_id=account_id, sales_order_id=posted.sales_order_id)
        return (await world.erp.post_invoice(invoice, f"{reference}-i")).invoice_id

    own = [world.run(invoiced("ACME", f"inv-{n}")) for n in range(3)]
    foreign = world.run(invoiced("VANDERMEER", "inv-9"))
    assert [item["invoice_id"] for item in world.collect("acme", f"{ACME}/invoices", limit=2)] == own
    assert world.collect("acme", f"{ACME}/invoices", status="paid") == []
    detail = world.get("acme", f"{ACME}/invoices/{own[0]}")
    assert detail["customer_reference"] == "PO-1"
    assert detail["lines"][0]["net"] == {"amount_minor": 820, "currency": "EUR"}
    assert detail["total"]["amount_minor"] == detail["net"]["amount_minor"] + detail["tax"]["amount_minor"]
    assert world.ask("acme", "GET", f"{ACME}/invoices/{foreign}").status_code == 404
    assert world.ask("platform", "GET", f"{ACME}/invoices/{foreign}").status_code == 404


def test_a_missing_record_is_a_typed_refusal(world: World) -> None:
    async def use(accounts: CustomerAccountV1) -> None:
        with pytest.raises(NotFound):
            await accounts.get_invoice("ACME", "no-such")
        with pytest.raises(NotFound):
            await accounts.get_shipment("ACME", "no-such")

    world.direct("acme", CustomerAccountV1, use)


def test_orders_page_by_page(world: World) -> None:
    body = {"account_id": "ACME", "channel": "partner", "lines": [{"sku": "BRG-6204", "quantity": 1}]}
    placed: list[str] = []
    for number in range(3):
        reference = f"PO-CA-{number}"
        answer = world.ask(
            "acme",
            "POST",
            "/process/order-to-fulfillment/v1/orders",
            body={**body, "reference": reference},
            key=reference,
        )
        assert answer.status_code == 202, answer.text
        placed.append(answer.json()["order_id"])
    listed = world.collect("acme", f"{ACME}/orders", limit=2)
    assert [item["order_id"] for item in listed] == placed[::-1]
    assert [item["order_id"] for item in world.collect("acme", f"{ACME}/orders", reference="PO-CA-1")] == [placed[1]]
    assert {item["channel"] for item in listed} == {"partner"}
