"""Who may do what: the same policies in front of every tier, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import httpx2

from governance.contract.discovery import discover_apis
from tests.journeys.clients import PORTAL, Client, an_order, problem
from tests.journeys.gateways import Gateway

Clients = Callable[[str], Client]

ORDERS = "/process/order-to-fulfillment/v1/orders"
SYSTEM_LISTS = tuple(
    operation
    for one in discover_apis()
    for operation in one.api.operations
    if one.api.tier == "system"
    and operation.kind == "search"
    and not any(parameter.required for parameter in operation.parameters)
)


def test_every_system_api_answers_its_own_client_and_nobody_else(gateway: Gateway, client: Clients) -> None:
    assert {operation.api_id for operation in SYSTEM_LISTS} == {
        "erp.v1", "crm.v1", "commerce.v1", "payments.v1", "logistics.v1", "notifications.v1",
    }  # fmt: skip
    for operation in SYSTEM_LISTS:
        answer = client("system-demo").get(operation.path, limit=2)
        assert answer.status_code == 200, (operation.id, answer.text)
        assert len(answer.json()["items"]) <= 2
        assert problem(httpx2.get(gateway.url("system") + operation.path)) == (401, "unauthenticated")
        assert problem(client("portal-demo").get(operation.path)) == (401, "unauthenticated"), "another audience"


def test_accounts_are_apart(client: Clients) -> None:
    acme, globex = client("portal-demo"), client("portal-demo-2")
    order = acme.place(an_order(f"PO-{uuid4().hex}", ("BRG-6204", 1)))
    [invoice_id], shipment_id = order["invoice_ids"], order["shipment_ids"][0]
    for path in (
        f"orders/{order['order_id']}",
        f"orders/{order['order_id']}/timeline",
        f"invoices/{invoice_id}",
        f"shipments/{shipment_id}",
    ):
        assert acme.get(f"{PORTAL}/{path}").status_code == 200
        assert problem(globex.get(f"{PORTAL}/{path}")) == (404, "not-found")
    assert problem(globex.post(f"{PORTAL}/orders/{order['order_id']}/cancel")) == (404, "not-found")
    assert order["order_id"] not in [one["order_id"] for one in globex.read_all(f"{PORTAL}/orders")]
    assert globex.read_all(f"{PORTAL}/shipments", order_id=order["order_id"]) == []
    assert client("platform-demo").read(f"{ORDERS}/{order['order_id']}")


def test_a_group_sees_its_subsidiaries(client: Clients) -> None:
    """The account hierarchy is CRM's, asked across the tiers."""
    order = client("acme-north").place(an_order(f"PO-{uuid4().hex}", ("BRG-6204", 1)))
    assert order["account_id"] == "ACME-NORTH"
    group = client("acme-group")
    assert group.read(f"{ORDERS}/{order['order_id']}")["status"] == "completed"
    assert order["order_id"] in [one["order_id"] for one in group.read_all(ORDERS)]
    other = client("portal-demo-2").place(an_order(f"PO-{uuid4().hex}", ("BRG-6204", 1)))
    assert problem(group.get(f"{ORDERS}/{other['order_id']}")) == (404, "not-found")


def test_what_a_token_lacks(gateway: Gateway, client: Clients) -> None:
    reader = client("reader")
    assert reader.get(f"{PORTAL}/products").status_code == 200
    refused = reader.get(f"{PORTAL}/orders")
    assert problem(refused) == (403, "insufficient-scope")
    assert 'scope="portal.orders:read"' in refused.headers["www-authenticate"]
    bare = httpx2.get(f"{gateway.url()}{PORTAL}/products")
    assert problem(bare) == (401, "unauthenticated")
    assert bare.headers["www-authenticate"].startswith("Bearer")
    assert problem(reader.get(ORDERS)) == (401, "unauthenticated"), "the token is for the experience tier"
    forged = httpx2.get(
        f"{gateway.url()}{PORTAL}/products", headers={"Authorization": f"Bearer {reader.token[:-4]}AAAA"}
    )
    assert problem(forged) == (401, "unauthenticated")


def test_a_hasty_client_is_held_back(client: Clients) -> None:
    hasty = client("hasty")
    answers = [hasty.get(f"{PORTAL}/products", limit=1) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert problem(answers[-1]) == (429, "rate-limited")
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
    assert "ratelimit" in answers[0].headers
    assert client("portal-demo").get(f"{PORTAL}/products", limit=1).status_code == 200, "others are not held back"


def test_a_browser_may_call_from_its_own_origin(client: Clients) -> None:
    browser, path = client("browser"), f"{PORTAL}/orders"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    allowed = browser.options(path, {"Origin": "https://shop.example", **asked})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    assert "idempotency-key" in allowed.headers["access-control-allow-headers"]
    refused = browser.options(path, {"Origin": "https://other.example", **asked})
    assert "access-control-allow-origin" not in refused.headers
    answer = browser.get(path, headers={"Origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert "location" in answer.headers["access-control-expose-headers"]
    other = client("portal-demo").get(path, headers={"Origin": "https://shop.example"})
    assert "access-control-allow-origin" not in other.headers, "it is not the origin of this client"


def test_what_did_not_change_is_not_sent_again(client: Clients) -> None:
    portal = client("portal-demo")
    first = portal.get(f"{PORTAL}/products/DRV-MOT150")
    again = portal.get(f"{PORTAL}/products/DRV-MOT150", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_documents_are_served_where_the_tier_is(gateway: Gateway) -> None:
    for path in ("/openapi/experience/portal/v1.json", "/.well-known/jwks.json", "/.well-known/api-catalog", "/docs"):
        assert httpx2.get(gateway.url() + path).status_code == 200
    keys = [httpx2.get(f"{gateway.url(tier)}/.well-known/jwks.json").json() for tier in ("system", "process")]
    assert keys[0] == keys[1], "one issuer, whichever process is asked"
