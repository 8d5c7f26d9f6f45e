"""The people who take goods back: they decide, receive what was authorised, inspect it, and put it into stock again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from gateway.chaos.drive import Crowd
from gateway.chaos.http import Lost
from gateway.chaos.plan import chance
from gateway.chaos.wishes import APPROVER, RETURNS, SALES

LOOK_S = 0.7
PAGE = 200
REFUSED = 0.3
"""The share of returns that somebody is asked about and says no to."""


class ReturnsDesk:
    """Works off returns as they come."""

    def __init__(self, crowd: Crowd, seed: int) -> None:
        self._crowd = crowd
        self._seed = seed
        self.refused: set[str] = set()
        """The returns that it said no to, whether or not it heard that its no was heard."""
        self._done: Counter[str] = Counter()

    async def work(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                for goods in await returns(self._crowd):
                    await self._see_to(goods)
            except Lost:
                continue

    async def _see_to(self, goods: dict[str, Any]) -> None:
        lines = [(line["sku"], line["quantity"]) for line in goods["lines"]]
        if goods["waits_for_decision"]:
            await self._decide(goods)
            return
        match goods["status"]:
            case "authorised":
                told = [{"sku": sku, "quantity": quantity} for sku, quantity in lines]
                await self._tell(goods, "receive", told)
            case "received":
                told = [{"sku": sku, "restocked": quantity} for sku, quantity in lines]
                await self._tell(goods, "inspect", told)
            case _:
                pass

    async def _decide(self, goods: dict[str, Any]) -> None:
        approved = chance(self._seed, "take back", goods["order_reference"]) >= REFUSED
        if not approved:
            self.refused.add(goods["return_id"])
        await self._send(APPROVER, goods, "decide", approved=approved, reason="" if approved else "Used up.")

    async def _tell(self, goods: dict[str, Any], deed: str, lines: list[dict[str, Any]]) -> None:
        await self._send(SALES, goods, deed, lines=lines)

    async def _send(self, client: str, goods: dict[str, Any], deed: str, **told: Any) -> None:
        name = f"{deed}-{goods['return_id']}"
        self._done[name] += 1
        body = {"account_id": goods["account_id"], **told}
        key = f"{name}-{self._done[name]}"  # a refusal because it came too early would be answered again
        await self._crowd.ask(client, "POST", f"{RETURNS}/{goods['return_id']}/{deed}", body, key)


async def returns(crowd: Crowd) -> list[dict[str, Any]]:
    """All returns.

    Raises:
        Lost: they can't be listed.
    """
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await crowd.ask(SALES, "GET", f"{RETURNS}?limit={PAGE}{cursor}")
        if answer.status != 200:
            raise Lost(f"GET {RETURNS} answered {answer.status}: {answer.body.decode(errors='replace')}")
        page = answer.json()
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"
