"""Orders that can't be: each is rejected with its reason, and nothing of it stays in any system."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.journeys.clients import PORTAL, Client, an_order
from tests.journeys.gateways import Gateway
from tests.journeys.ledgers import discrepancies, read_ledgers, stock_discrepancies


class Case(NamedTuple):
    client_id: str
    lines: tuple[tuple[str, int], ...]
    problem: str
    more: dict[str, Any]


CASES = {
    "more than there is": Case("stadtwerke", (("BRG-6206", 1), ("BRG-6308", 900_000)), "insufficient-stock", {}),
    "over the credit limit": Case("tightrope", (("BRG-22210", 40),), "credit-limit-exceeded", {}),
    "account on hold": Case("holdfast", (("BRG-6201", 1),), "account-on-hold", {}),
    "card declined": Case("pixelfab", (("BRG-6201", 1),), "payment-declined", {"card_token": "card_declined"}),
    "prepaid without a card": Case("pixelfab", (("BRG-6201", 1),), "payment-declined", {}),
    "unknown product": Case("portal-demo", (("BRG-6201", 1), ("NO-SUCH", 1)), "unknown-product", {}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_rejected_and_leaves_nothing(gateway: Gateway, client: Callable[[str], Client], case: Case) -> None:
    caller = client(case.client_id)
    before = read_ledgers(gateway.home)
    order = caller.place(an_order(f"PO-{uuid4().hex}", *case.lines, **case.more))
    assert (order["status"], order["problem"]) == ("rejected", case.problem)
    assert order["reason"]
    assert (order["shipment_ids"], order["invoice_ids"]) == ([], [])
    now = read_ledgers(gateway.home)
    assert discrepancies(now, [order]) == []
    assert stock_discrepancies(before, now, [order]) == []
    entries = caller.read(f"{PORTAL}/orders/{order['order_id']}/timeline")["entries"]
    assert entries[-1]["outcome"] == "rejected"
