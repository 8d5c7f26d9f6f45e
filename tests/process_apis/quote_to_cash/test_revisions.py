"""Revisions that are asked for at the same time: of those who saw the same quote, one is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from tests.process_apis.quote_to_cash.quote_world import BEARING, QUOTES, events_of, said, say, seen, sent
from tests.process_apis.world import World

RIVALS = 20


async def raced(world: World, quote: Any, wishes: Sequence[tuple[str, int]]) -> list[Any]:
    """The answers to revisions of the same quote, all asked at once: idempotency keys and quantities."""

    async def revise(key: str, quantity: int) -> Any:
        lines = [{"sku": BEARING, "quantity": quantity}]
        body = {"account_id": quote["account_id"], "revision": quote["revision"], "lines": lines}
        headers = {"authorization": "Bearer platform", "idempotency-key": key, "prefer": "wait=8"}
        headers["content-type"] = "application/json"
        path = f"{QUOTES}/{quote['quote_id']}/revise"
        return await world.client.post(path, headers=headers, content=msgspec.json.encode(body))

    return list(await asyncio.gather(*(revise(key, quantity) for key, quantity in wishes)))


def is_second(quote: Any) -> bool:
    return bool(quote["revision"] == 2)


def test_of_many_who_revise_at_once_one_is_followed(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    answers = world.run(raced(world, quote, [(f"rival-{n}", 100 + n) for n in range(RIVALS)]))
    won = [answer.json() for answer in answers if answer.status_code == 202]
    lost = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, RIVALS - 1)
    assert {one["type"] for one in lost} == {"/problems/quote-superseded"}
    assert {one["revision"] for one in lost} == {2}
    now = seen(world, quote, "sent", good=is_second)
    assert (now["revision"], now["lines"]) == (2, won[0]["lines"])
    drawn_up = world.get("platform", f"/system/crm/v1/quotes/{quote['crm_quote_id']}")
    assert drawn_up["lines"][0]["quantity"] == now["lines"][0]["quantity"]
    assert events_of(world, quote["quote_id"]).count("quote.revised") == 1


def test_the_same_wish_asked_many_times_at_once_is_one(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    answers = world.run(raced(world, quote, [("same", 30)] * 5))
    assert [(answer.status_code, answer.json()["revision"]) for answer in answers] == [(202, 2)] * 5
    seen(world, quote, "sent", good=is_second)
    lines = [{"sku": BEARING, "quantity": 40}]
    late = say(world, quote, "revise", lines=lines)
    assert (late.status_code, late.json()["type"]) == (409, "/problems/quote-superseded")
    assert said(world, {**quote, "revision": 2}, "revise", lines=lines)["revision"] == 3
