"""From a wish for a price to the money at the bank: a sales desk, an approver, a page behind a link, a portal."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from tests.journeys.clients import PATIENCE_S, PORTAL, Client, problem
from tests.journeys.gateways import eventually

Clients = Callable[[str], Client]
Q2C = "/process/quote-to-cash/v1"
MESSAGES = "/system/notifications/v1/messages"


def asked(desk: Client, discount_bp: int) -> Any:
    """A quote for ACME, once it is sent or waits for approval."""
    body = {
        "account_id": "ACME",
        "lines": [{"sku": "BRG-6204", "quantity": 30, "wanted_discount_bp": discount_bp}],
    }
    answer = desk.post(f"{Q2C}/quotes", body, headers={"Prefer": "wait=10"})
    assert answer.status_code == 202, answer.text
    return answer.json()


def came_to(client: Client, quote_id: str, *statuses: str) -> Any:
    """The quote once it has one of these statuses."""

    def look() -> Any:
        quote = client.read(f"{Q2C}/quotes/{quote_id}")
        return quote if quote["status"] in statuses else None

    return eventually(f"{quote_id} is {statuses}", look, PATIENCE_S)


def token_of(desk: Client, quote: Any) -> str:
    """The token of the link in the letter to the customer."""
    found = desk.read_all(MESSAGES, account_id="ACME", template="quote_sent")
    (letter,) = [one for one in found if quote["crm_quote_id"] in one["text"]]
    link = re.search(r"/quotes#([A-Za-z0-9_-]+)", letter["text"])
    assert link, letter["text"]
    return link[1]


def test_a_quote_is_approved_accepted_by_link_delivered_and_paid(client: Clients) -> None:
    desk, approver, page = client("quotes-desk"), client("quotes-approver"), client("quotes-page")
    quote = asked(desk, 1_200)
    path = f"{Q2C}/quotes/{quote['quote_id']}"
    assert quote["waits_for_approval"], quote
    yes = {"account_id": "ACME", "revision": 1, "approved": True}
    assert problem(desk.post(f"{path}/decide", yes)) == (403, "insufficient-scope")
    assert approver.post(f"{path}/decide", yes).status_code == 202
    came_to(approver, quote["quote_id"], "sent")

    token, reference = token_of(desk, quote := came_to(desk, quote["quote_id"], "sent")), f"PO-{uuid4().hex}"
    assert problem(page.get(path)) == (403, "insufficient-scope"), "a link opens its quote and nothing else"
    assert page.post(f"{Q2C}/quote-links/view", {"token": token}).json()["total"] == quote["total"]
    assert problem(page.post(f"{Q2C}/quote-links/accept", {"token": token[::-1]})) == (404, "unknown-link")
    key, accept = uuid4().hex, {"token": token, "reference": reference}
    first, again = (page.post(f"{Q2C}/quote-links/accept", accept, key=key) for _ in range(2))
    assert (first.status_code, first.json()["status"], again.json()) == (202, "accepted", first.json())
    assert problem(page.post(f"{Q2C}/quote-links/accept", accept)) == (409, "wrong-state")

    invoiced = came_to(desk, quote["quote_id"], "invoiced")
    orders = client("portal-demo").read_all(f"{PORTAL}/orders", reference=reference)
    assert [one["order_id"] for one in orders] == [invoiced["order_id"]], "one quote is one order"
    (invoice,) = invoiced["invoices"]
    assert invoice["total"] == quote["total"]

    whose = {"account_id": "ACME", "invoice_id": invoice["invoice_id"]}
    part = desk.post(f"{path}/credits", {**whose, "lines": [{"line_no": 1, "quantity": 5}], "reason": "Damaged."})
    assert part.status_code == 201, part.text
    rest = invoice["total"]["amount_minor"] - part.json()["total"]["amount_minor"]
    amount = {"amount_minor": rest, "currency": "EUR"}
    money = {"account_id": "ACME", "amount": amount, "parts": [{"invoice_id": invoice["invoice_id"], "amount": amount}]}
    key = uuid4().hex
    paid, repeated = (desk.post(f"{Q2C}/bank-payments", money, key=key) for _ in range(2))
    assert (paid.status_code, paid.json()["unapplied"]["amount_minor"]) == (201, 0), paid.text
    assert repeated.json() == paid.json()
    done = came_to(desk, quote["quote_id"], "closed")
    assert (done["billing"], done["invoices"][0]["status"]) == ("settled", "paid")
    assert client("portal-demo").read(f"{PORTAL}/quotes/{quote['quote_id']}")["billing"] == "settled"


def test_a_customer_answers_in_the_portal(client: Clients) -> None:
    desk, portal = client("quotes-desk"), client("portal-demo")
    quote = came_to(desk, asked(desk, 500)["quote_id"], "sent")
    path = f"{PORTAL}/quotes/{quote['quote_id']}"
    assert portal.read(path)["total"] == quote["total"]
    assert problem(client("portal-demo-2").get(path)) == (404, "not-found")
    assert problem(portal.post(f"{path}/accept", {"revision": 2})) == (409, "quote-superseded")
    declined = portal.post(f"{path}/decline", {"revision": 1, "reason": "Not now."})
    assert declined.status_code == 202, declined.text
    assert came_to(desk, quote["quote_id"], "declined")["reason"] == "Not now."
