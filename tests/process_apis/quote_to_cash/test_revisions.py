"""Revisions that are asked for at the same time: of those who saw the same quote, one is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa

from process_apis.flow.signals import keep_signal
from process_apis.flow.tables import flows
from process_apis.quote_to_cash.record import Answer
from process_apis.quote_to_cash.signals import ANSWER
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


def test_an_answer_that_the_flow_has_not_heard_yet_comes_before_a_revision(world: World) -> None:
    quote = sent(world, (BEARING, 10, None))
    answer = Answer(revision=1, accepted=True, by="acme", way="account", at=datetime.now(UTC), key="k")
    kept = partial(
        keep_signal, flow_id=quote["quote_id"], name=ANSWER, body=msgspec.json.encode(answer),
        source_id=f"{ANSWER}:1", now=answer.at,
    )  # fmt: skip
    resting = sa.select(flows.c.resting).where(flows.c.flow_id == quote["quote_id"])

    async def rests() -> bool:
        return await world.flows.read(lambda connection: connection.execute(resting).scalar()) == "due"

    assert world.run(world.flows.until(quote["quote_id"], rests, bool, 10)), "it waits for the answer"
    assert world.run(world.flows.write(kept)), "which nobody tells it of"
    late = say(world, quote, "revise", lines=[{"sku": BEARING, "quantity": 40}])
    assert (late.status_code, late.json()["type"], late.json()["state"]) == (409, "/problems/wrong-state", "answered")
    assert world.get("platform", f"{QUOTES}/{quote['quote_id']}")["revision"] == 1
