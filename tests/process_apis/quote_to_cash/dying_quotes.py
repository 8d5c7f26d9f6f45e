"""A process of a world of quotes that dies with a step's effects made and its checkpoint not: run as a script.

``python dying_quotes.py HOME STEP`` begins or goes on with one quote, under the same keys each time, and kills
itself at the end of ``STEP``. STEP ``-`` kills nothing: the quote goes to its end, and what every system holds
for it is printed as JSON.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from process_apis.flow.run import Run
from process_apis.quote_to_cash.flow import QUOTE_TO_CASH
from process_apis.quote_to_cash.record import QuoteRecord
from tests.process_apis.quote_to_cash.quote_world import (
    BEARING,
    SERVICES,
    Ahead,
    erp_orders,
    events_of,
    extra,
    letters,
    noted,
    request,
    said,
    seen,
    wish,
)
from tests.process_apis.world import World, running

DIED = 9
REFERENCE = "PO-KILLED"
PAYMENTS = "/process/quote-to-cash/v1/bank-payments"


def die_after(name: str) -> None:
    """Have this process die at the end of that step."""
    step = next(one for one in QUOTE_TO_CASH.rows if one.name == name)
    do = step.do

    async def dying(performer: Any, run: Run[QuoteRecord]) -> QuoteRecord:
        await do(performer, run)
        os._exit(DIED)

    msgspec.structs.force_setattr(step, "do", dying)


def invoiced(quote: Any) -> bool:
    """Whether it is known what is owed."""
    return bool(quote["invoices"])


def reminded(quote: Any) -> bool:
    """Whether one reminder was sent."""
    return bool(quote["reminders"] == 1)


def bring_to_its_end(world: World, clock: Ahead) -> Any:
    """Ask, accept, wait for a reminder, credit a part and pay the rest: each under one key for ever."""
    quote = request(world, wish((BEARING, 10, None)), key="killed")
    if quote["order_id"] is None:
        quote = said(world, quote, "accept", key="killed", reference=REFERENCE)
    quote = seen(world, quote, "invoiced", "closed", good=invoiced)
    clock.pass_days(34)
    quote = seen(world, quote, "invoiced", "closed", good=reminded)
    (invoice,) = quote["invoices"]
    whose = {"account_id": "ACME", "invoice_id": invoice["invoice_id"]}
    path = f"/process/quote-to-cash/v1/quotes/{quote['quote_id']}/credits"
    part = {**whose, "lines": [{"line_no": 1, "quantity": 1}]}
    credited = world.ask("platform", "POST", path, body=part, key="killed")
    assert credited.status_code == 201, credited.text
    rest = invoice["total"]["amount_minor"] - credited.json()["total"]["amount_minor"]
    money = {"account_id": "ACME", "amount": {"amount_minor": rest, "currency": "EUR"}}
    paid = world.ask("platform", "POST", PAYMENTS, body=money, key="killed")
    assert paid.status_code == 201, paid.text
    return seen(world, quote, "closed")


def held(world: World, quote: Any) -> dict[str, Any]:
    """What every system holds for the quote."""
    invoice_id = quote["invoices"][0]["invoice_id"]
    payments = world.collect("platform", "/system/erp/v1/received-payments", account_id="ACME")
    return {
        "quotes": [
            one["quote_id"] for one in world.collect("platform", "/system/crm/v1/quotes", account_id="ACME")
        ].count(quote["crm_quote_id"]),
        "orders": len(erp_orders(world, REFERENCE)),
        "credits": len(world.collect("platform", "/system/erp/v1/credit-memos", invoice_id=invoice_id)),
        "payments": sum(one["allocations"][0]["invoice_id"] == invoice_id for one in payments),
        "letters": sorted(
            one.template
            for number in (quote["crm_quote_id"], invoice_id)
            for one in letters(world, number)
            if one.template in ("quote_sent", "payment_reminder")
        ),
        "told": noted(world, quote, "quote_closed"),
        "events": events_of(world, quote["quote_id"]),
        "overdue": events_of(world, invoice_id).count("invoice.overdue"),
        "discrepancies": list(world.run(world.erp.ledger()).discrepancies),
    }


def main(home: Path, step: str) -> None:
    """One process."""
    if step != "-":
        die_after(step)
    clock = Ahead()
    with running(home, "direct", SERVICES, extra=extra(clock)) as world:
        print(json.dumps(held(world, bring_to_its_end(world, clock))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
