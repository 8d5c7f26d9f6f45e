"""A quote of a run ends as its customer answered it, with one order or with none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.chaos.quotes import ENDS, MANNERS, QuoteTale, QuoteWish, quote_faults, quote_wish

WISH = QuoteWish(number=7, manner="accepted twice", key="k", reference="QUOTE-7", body={})
ORDER: Mapping[str, Any] = {"order_id": "ord-1", "reference": "QUOTE-7", "status": "completed"}


def told(**last: Any) -> QuoteTale:
    return QuoteTale(wish=WISH, quote_id="quo-1", last={"status": "closed", "order_id": "ord-1", **last})


def sentences(tale: QuoteTale, *orders: Mapping[str, Any]) -> str:
    return "; ".join(sentence for _, sentence in quote_faults([tale], orders))


def test_an_accepted_quote_has_one_order_which_is_completed() -> None:
    assert sentences(told(), ORDER) == ""
    assert "became 2 orders, not 1" in sentences(told(), ORDER, {**ORDER, "order_id": "ord-2"})
    assert "became 0 orders, not 1" in sentences(told())
    assert "which is cancelled" in sentences(told(), {**ORDER, "status": "cancelled"})
    assert "is invoiced" in sentences(told(status="invoiced"), ORDER)
    assert "odd" in sentences(QuoteTale(wish=WISH, strange=["odd"]), ORDER)


def test_nothing_comes_of_a_quote_that_was_declined() -> None:
    tale = QuoteTale(
        wish=QuoteWish(number=7, manner="declined", key="k", reference="QUOTE-7", body={}), last={"status": "declined"}
    )
    assert sentences(tale) == ""
    assert "became 1 orders, not 0" in sentences(tale, ORDER)


def test_quotes_are_a_function_of_the_seed_and_of_every_manner() -> None:
    wishes = [wish for number in range(4_000) if (wish := quote_wish(3, number)) is not None]
    assert len(wishes) == 200
    assert wishes == [quote_wish(3, wish.number) for wish in wishes]
    assert {wish.manner for wish in wishes} == set(ENDS) == {"accepted", *(manner for manner, _ in MANNERS)}
    assert 50 < sum("wanted_discount_bp" in wish.body["lines"][0] for wish in wishes) < 150
