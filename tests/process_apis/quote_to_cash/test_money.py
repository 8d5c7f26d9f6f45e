"""The money for a quote: paid by card or at the bank, reminded of, held, credited; and orders that fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from process_apis.quote_to_cash.v1.service import QuoteToCash
from system_apis.erp.v1.contract import ErpV1
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    QUOTES,
    Ahead,
    events_of,
    letters,
    noted,
    said,
    seen,
    sent,
)
from tests.process_apis.world import World

PAYMENTS = "/process/quote-to-cash/v1/bank-payments"


def has_invoices(quote: Any) -> bool:
    return bool(quote["invoices"])


def reminded(times: int) -> Callable[[Any], bool]:
    return lambda quote: bool(quote["reminders"] == times)


def ordered(world: World, account_id: str = "ACME", **answer: Any) -> Any:
    """A quote whose order is delivered and invoiced."""
    quote = sent(world, (BEARING, 10, None), account_id=account_id)
    said(world, quote, "accept", **answer)
    return seen(world, quote, "invoiced", "closed", good=has_invoices)


def pay(world: World, cents: int, key: str, account_id: str = "ACME", **more: Any) -> Any:
    body = {"account_id": account_id, "amount": {"amount_minor": cents, "currency": "EUR"}, **more}
    return world.ask("platform", "POST", PAYMENTS, body=body, key=key)


def owed(quote: Any) -> int:
    return sum(one["open"]["amount_minor"] for one in quote["invoices"])


def test_money_at_the_bank_closes_the_quote(world: World) -> None:
    quote = ordered(world)
    assert (quote["billing"], quote["order_status"]) == ("open", "completed")
    invoice_id, due = quote["invoices"][0]["invoice_id"], owed(quote)
    stated = [{"invoice_id": invoice_id, "amount": {"amount_minor": due, "currency": "EUR"}}]
    for _ in range(2):
        paid = pay(world, due + 500, "bank-1", parts=stated)
        assert (paid.status_code, paid.json()["unapplied"]["amount_minor"]) == (201, 500), paid.text
    done = seen(world, quote, "closed")
    assert (done["billing"], done["reminders"], done["invoices"][0]["status"]) == ("settled", 0, "paid")
    assert noted(world, done, "quote_closed")[-1] == "quote_closed"
    received = world.collect("platform", "/system/erp/v1/received-payments", account_id="ACME")
    assert len([one for one in received if one["allocations"][0]["invoice_id"] == invoice_id]) == 1


def test_a_card_pays_by_itself(world: World) -> None:
    quote = ordered(world, payment="card", card_token="card_ok")
    done = seen(world, quote, "closed")
    assert (done["billing"], owed(done)) == ("settled", 0)
    assert "card_ok" not in world.ask("platform", "GET", f"{QUOTES}/{quote['quote_id']}").text


def test_too_little_money_leaves_the_rest_open(world: World) -> None:
    quote = ordered(world)
    invoice_id, due = quote["invoices"][0]["invoice_id"], owed(quote)
    part = [{"invoice_id": invoice_id, "amount": {"amount_minor": due - 100, "currency": "EUR"}}]
    assert pay(world, due - 100, f"part-{invoice_id}", parts=part).status_code == 201
    rest = [{"invoice_id": invoice_id, "amount": {"amount_minor": 101, "currency": "EUR"}}]
    refused = pay(world, 101, f"rest-{invoice_id}", parts=rest)
    assert (refused.status_code, refused.json()["remaining"]["amount_minor"]) == (409, 100)
    assert world.get("platform", f"/system/erp/v1/invoices/{invoice_id}")["status"] == "open"
    assert pay(
        world, 100, f"last-{invoice_id}", parts=[{**rest[0], "amount": {"amount_minor": 100, "currency": "EUR"}}]
    )
    assert seen(world, quote, "closed")["billing"] == "settled"


def test_an_invoice_that_is_credited_in_full_is_settled(world: World) -> None:
    quote = ordered(world)
    invoice_id, due = quote["invoices"][0]["invoice_id"], owed(quote)
    path, whose = f"{QUOTES}/{quote['quote_id']}/credits", {"account_id": "ACME", "invoice_id": invoice_id}
    foreign = world.ask("platform", "POST", path, body={**whose, "invoice_id": "INV-100001"}, key="foreign")
    assert foreign.status_code == 404
    units = {**whose, "lines": [{"line_no": 1, "quantity": 4}], "reason": "Four were damaged."}
    first, again = (world.ask("platform", "POST", path, body=units, key=f"units-{invoice_id}") for _ in range(2))
    assert first.status_code == 201 and first.json() == again.json(), first.text
    over = {**whose, "lines": [{"line_no": 1, "quantity": 7}]}
    refused = world.ask("platform", "POST", path, body=over, key=f"over-{invoice_id}")
    assert (refused.status_code, refused.json()["remaining"]) == (409, 6)
    rest = world.ask("platform", "POST", path, body=whose, key=f"rest-{invoice_id}").json()
    assert first.json()["total"]["amount_minor"] + rest["total"]["amount_minor"] == due
    assert (seen(world, quote, "closed")["invoices"][0]["status"], rest["to_refund"]["amount_minor"]) == ("credited", 0)
    memos = world.collect("platform", "/system/erp/v1/credit-memos", invoice_id=invoice_id)
    assert len(memos) == 2


def test_an_order_that_is_rejected_is_told_to_sales(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    said(world, quote, "accept", payment="card", card_token="card_declined")
    gone = seen(world, quote, "unfulfilled")
    assert (gone["order_status"], gone["billing"]) == ("rejected", "not_billed")
    assert "card" in gone["reason"].lower()
    assert noted(world, gone, "quote_unfulfilled")[-1] == "quote_unfulfilled"


def test_what_finance_agrees_meanwhile_cant_be_overwritten() -> None:
    assert ErpV1.hold_account in QuoteToCash.needs
    assert ErpV1.put_terms not in QuoteToCash.needs, "it would put back whatever it read of the terms"


def test_reminders_go_out_by_the_clock_and_end_with_a_hold(world: World, clock: Ahead) -> None:
    quote = ordered(world, account_id="NORDLUFT")
    invoice_id = quote["invoices"][0]["invoice_id"]
    due_on = quote["invoices"][0]["due_on"]
    clock.pass_days((date.fromisoformat(due_on) - clock.now().date()).days + 4)
    for stage, days in ((1, 11), (2, 14), (3, 11)):
        found = seen(world, quote, "invoiced", "on_hold", good=reminded(stage))
        assert found["billing"] == "overdue"
        clock.pass_days(days)
    held = seen(world, quote, "on_hold")
    assert (held["billing"], held["problem"]) == ("on_hold", "invoice-unpaid")
    stages = [one.template for one in letters(world, invoice_id) if one.template == "payment_reminder"]
    assert len(stages) == 3
    assert events_of(world, invoice_id)[-3:] == ["invoice.overdue"] * 3
    assert world.get("platform", "/system/erp/v1/customers/NORDLUFT/terms")["on_hold"] is True
    assert noted(world, held, "account_on_hold")[-1] == "account_on_hold"
    assert pay(world, owed(held), "late", account_id="NORDLUFT").status_code == 201
    assert seen(world, quote, "closed")["billing"] == "settled"
