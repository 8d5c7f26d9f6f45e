"""The people who put goods on stock that orders wait for, once for each product."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from gateway.chaos.drive import SYSTEMS, Crowd, Tale
from gateway.chaos.http import Lost
from gateway.chaos.wishes import PLENTY

LOOK_S = 0.3
WAIT_S = 1.5
"""How long the first order waits for goods."""
WAREHOUSE = "HAM"
INVENTORY = "/system/erp/v1/inventory"


class Supplier:
    """Puts on stock what is waited for."""

    def __init__(self, crowd: Crowd, tales: Sequence[Tale]) -> None:
        self._crowd = crowd
        self._tales = tales
        self.supplied: Counter[str] = Counter()
        """How many of each product came in."""

    async def work(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            for sku in self._waited_for():
                try:
                    await self._supply(sku)
                except Lost:
                    continue
                self.supplied[sku] = PLENTY

    def _waited_for(self) -> list[str]:
        since = time.monotonic() - WAIT_S
        waiting = {tale.wish.scarce for tale in self._tales if 0 < tale.accepted_at < since}
        return sorted(waiting - self.supplied.keys() - {""})

    async def _supply(self, sku: str) -> None:
        """Written down until it is there, and never again: what has left since would come back."""
        while not await self._is_there(sku):
            await self._crowd.attempt(SYSTEMS, "PUT", f"{INVENTORY}/{WAREHOUSE}/{sku}", {"on_hand": PLENTY})

    async def _is_there(self, sku: str) -> bool:
        answer = await self._crowd.ask(SYSTEMS, "GET", f"{INVENTORY}?sku={sku}&warehouse={WAREHOUSE}")
        return answer.status == 200 and any(position["on_hand"] for position in answer.json()["items"])
