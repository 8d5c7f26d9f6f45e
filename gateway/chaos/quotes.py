"""Quotes of a run: asked for by sales, approved where discounts are high, and accepted, declined or withdrawn.

An accepted one becomes exactly one order, paid by card, however often and to whomever it was accepted; of
the others nothing comes.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from gateway.chaos.drive import LONGEST_POLL_S, POLL_S, Crowd
from gateway.chaos.http import Answer, Lost
from gateway.chaos.plan import chance
from gateway.chaos.wishes import APPROVER, QUOTES, SALES, SKUS

Manner = Literal["accepted", "accepted twice", "declined", "withdrawn"]
ONE_IN = 20
"""One quote for so many orders."""
PLACE = 7
MANNERS: tuple[tuple[Manner, float], ...] = (("accepted twice", 0.4), ("declined", 0.15), ("withdrawn", 0.1))
ENDS: Mapping[Manner, str] = {
    "accepted": "closed",
    "accepted twice": "closed",
    "declined": "declined",
    "withdrawn": "cancelled",
}
ENDED = frozenset({"closed", "unfulfilled", "rejected", "declined", "expired", "cancelled"})
ACCOUNT = "PIXELFAB"
HIGH_BP = 1_500
"""More than sales gives without asking."""
Quote = Mapping[str, Any]
"""A quote as the API shows it."""


class QuoteWish(Struct, frozen=True, kw_only=True):
    """One quote that sales wants to give."""

    number: int
    manner: Manner
    key: str
    reference: str
    body: dict[str, Any]


class QuoteTale(Struct, kw_only=True):
    """What sales and the customer saw of it."""

    wish: QuoteWish
    quote_id: str = ""
    last: dict[str, Any] = {}
    yeses: int = 0
    strange: list[str] = []


def quote_wish(seed: int, number: int) -> QuoteWish | None:
    """The quote that is asked for along with order ``number``; None: there is none."""
    if number % ONE_IN != PLACE:
        return None
    sku = SKUS[int(chance(seed, "quoted", number) * len(SKUS))]
    line: dict[str, Any] = {"sku": sku, "quantity": 1 + int(chance(seed, "quoted quantity", number) * 5)}
    if chance(seed, "discount", number) < 0.5:
        line["wanted_discount_bp"] = HIGH_BP
    return QuoteWish(
        number=number,
        manner=_manner(chance(seed, "answer", number)),
        key=f"chaos-{seed}-quote-{number}",
        reference=f"QUOTE-{seed}-{number}",
        body={"account_id": ACCOUNT, "lines": [line]},
    )


class QuoteDesk:
    """Sales and its customers, each quote by itself."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.tales: list[QuoteTale] = []

    async def carry_through(self, wish: QuoteWish, until: Callable[[], float]) -> None:
        """Ask for the quote, answer it, and follow it to its end or the moment ``until()`` (monotonic seconds)."""
        tale = QuoteTale(wish=wish)
        self.tales.append(tale)
        try:
            asked = await self._crowd.ask(SALES, "POST", QUOTES, wish.body, wish.key)
            if asked.status != 202:
                tale.strange.append(_told(asked))
                return
            tale.quote_id = asked.json()["quote_id"]
            await self._seen(tale, {"sent", *ENDED}, until)
            if tale.last.get("status") == "sent":
                await self._answered(tale)
                await self._seen(tale, ENDED, until)
        except Lost as lost:
            tale.strange.append(str(lost))

    async def _seen(self, tale: QuoteTale, statuses: frozenset[str] | set[str], until: Callable[[], float]) -> None:
        pause_s = POLL_S
        while time.monotonic() < until():
            answer = await self._crowd.attempt(SALES, "GET", f"{QUOTES}/{tale.quote_id}")
            if answer is not None and answer.status == 200:
                tale.last = answer.json()
                if tale.last["status"] in statuses:
                    return
                if tale.last["waits_for_approval"]:
                    await self._approve(tale)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)

    async def _approve(self, tale: QuoteTale) -> None:
        tale.yeses += 1
        body = {"account_id": ACCOUNT, "revision": tale.last["revision"], "approved": True}
        key = f"{tale.wish.key}-yes-{tale.yeses}"
        answer = await self._crowd.attempt(APPROVER, "POST", f"{QUOTES}/{tale.quote_id}/decide", body, key)
        if answer is not None and answer.status != 202 and answer.problem != "wrong-state":
            tale.strange.append(_told(answer))

    async def _answered(self, tale: QuoteTale) -> None:
        wish, whose = tale.wish, {"account_id": ACCOUNT, "revision": tale.last["revision"]}
        yes = {**whose, "reference": wish.reference, "payment": "card", "card_token": "card_ok"}
        path = f"{QUOTES}/{tale.quote_id}"
        match wish.manner:
            case "declined":
                answers = [await self._crowd.ask(SALES, "POST", f"{path}/decline", whose, f"{wish.key}-no")]
            case "withdrawn":
                whose.pop("revision")
                answers = [await self._crowd.ask(SALES, "POST", f"{path}/withdraw", whose, f"{wish.key}-no")]
            case _:
                times = 2 if wish.manner == "accepted twice" else 1
                asked = [
                    self._crowd.ask(SALES, "POST", f"{path}/accept", yes, f"{wish.key}-accept-{time_}")
                    for time_ in range(times)
                ]
                answers = list(await asyncio.gather(*asked))
        if all(answer.status != 202 for answer in answers):
            tale.strange.append("nobody's answer was taken")
        tale.strange += [_told(one) for one in answers if one.status != 202 and one.problem != "wrong-state"]


def quote_faults(tales: Sequence[QuoteTale], orders: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is wrong with the quotes, each with its order or nothing; ``orders`` are all that there are."""
    made: Counter[str] = Counter(order["reference"] for order in orders)
    status = {order["order_id"]: order["status"] for order in orders}
    for tale in tales:
        wish, quote = tale.wish, tale.last
        name = f"quote {wish.number} ({tale.quote_id or 'none'}, {wish.manner})"
        order_id = quote.get("order_id") or ""
        yield from ((order_id, f"{name}: {answer}") for answer in tale.strange)
        if quote.get("status") != ENDS[wish.manner]:
            yield order_id, f"{name} is {quote.get('status')}, {quote.get('stage')}, not {ENDS[wish.manner]}"
        wanted = int(ENDS[wish.manner] == "closed")
        if made[wish.reference] != wanted:
            yield order_id, f"{name} became {made[wish.reference]} orders, not {wanted}"
        if wanted and status.get(order_id) != "completed":
            yield order_id, f"{name} names order {order_id or 'none'}, which is {status.get(order_id, 'not there')}"


def _manner(at: float) -> Manner:
    for manner, share in MANNERS:
        if at < share:
            return manner
        at -= share
    return "accepted"


def _told(answer: Answer) -> str:
    return f"answered {answer.status}: {answer.body.decode(errors='replace')[:300]}"
