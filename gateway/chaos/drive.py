"""Clients that place orders and follow them to their end, whatever happens to their connections.

Each order is one client's wish: it is sent until somebody answers 202, always under the same key.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from gateway.chaos.http import Answer, Connections, Lost
from gateway.chaos.wishes import APPROVER, ORDERS, PORTAL, RETURNS, SALES, Wish

ENDED = frozenset({"completed", "rejected", "cancelled"})
UNDECIDED = frozenset({"accepted", "allocated"})
"""An order that needs somebody's yes waits for it in one of these."""
AGAIN = frozenset({"idempotency-key-in-flight", "rate-limited", "unavailable", "overloaded", "deadline-exceeded"})
"""Problems after which a client sends the same again."""
PAUSE_S, LONGEST_PAUSE_S = 0.1, 1.0
POLL_S, LONGEST_POLL_S = 0.4, 2.0
GIVE_UP_S = 240.0
CHANNEL_ORDERS = "/system/commerce/v1/channel-orders"
SYSTEMS = "system-demo"
"""The client that keeps systems of record."""
WATCHER = "watcher"
"""The client that sees the orders of all accounts."""


class Tale(Struct, kw_only=True):
    """What a client saw of its order."""

    wish: Wish
    order_ids: set[str] = set()
    """Every id that an accepting answer named: it must be one."""
    status: str = ""
    """The last one seen."""
    cancelled_answer: str = ""
    """The status that an answered cancel showed, or the type of its refusal."""
    accepted_at: float = 0.0
    """When it was accepted, in monotonic seconds."""
    return_id: str = ""
    twin_id: str = ""
    """The order that asks for the same, where its channel takes such a one."""
    yeses: int = 0
    """How often it was approved."""
    amended: bool | None = None
    """Whether an answer said that the order is amended; None: it said nothing for sure."""
    strange: list[str] = []
    """Answers that nothing of the run explains."""


class Pulse(Struct, kw_only=True):
    """How the gateway felt from outside."""

    placed: int = 0
    accepted: int = 0
    ended: int = 0
    sent: int = 0
    cut: int = 0
    again: Counter[str] = Counter()
    """Why requests had to be sent again."""
    acceptance_s: list[float] = []
    """Seconds to the answers that came at the first attempt."""
    answered_at: float = 0.0
    longest_outage_s: float = 0.0
    _failing: bool = False

    def answer(self) -> None:
        """Somebody answered as it should."""
        now = time.monotonic()
        if self._failing and self.answered_at:
            self.longest_outage_s = max(self.longest_outage_s, now - self.answered_at)
        self.answered_at, self._failing = now, False

    def failure(self, why: str) -> None:
        """A request has to be sent again."""
        self.again[why] += 1
        self._failing = True


class Crowd:
    """The clients of a run."""

    def __init__(self, ports: Sequence[int], secret: str) -> None:
        self._ports = ports
        self._secret = secret
        self._tokens: dict[str, str] = {}
        self._connections = Connections()
        self._turn = 0
        self.pulse = Pulse()

    async def enter(self, clients: Sequence[str]) -> None:
        """Get each client its token."""
        for client in clients:
            secret = f"{client}-secret" if client.endswith("-demo") else self._secret
            basic = base64.b64encode(f"{client}:{secret}".encode()).decode()
            headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
            answer = await self._connections.send(
                self._ports[0], "POST", "/oauth/token", headers=headers, body=b"grant_type=client_credentials"
            )
            if answer.status != 200:
                raise Lost(f"{client} gets no token: {answer.body.decode(errors='replace')}")
            self._tokens[client] = answer.json()["access_token"]

    async def leave(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def fulfil(self, tale: Tale) -> None:
        """Place the order, do to it what its client does, and follow it to its end."""
        wish = tale.wish
        if wish.channel_order is not None and not await self._told_channel(tale):
            self.pulse.placed += 1
            return
        match wish.manner:
            case "doubled":
                await asyncio.gather(*(self._placed(tale) for _ in range(3)))
            case "cut":
                await self._cut_off(tale)
                await self._placed(tale)
            case _:
                await self._placed(tale)
        self.pulse.placed += 1
        if not tale.order_ids:
            return
        self.pulse.accepted += 1
        tale.accepted_at = time.monotonic()
        if wish.manner in ("cancelled", "amended"):
            await asyncio.sleep(wish.regret_after_s)
            await (self._cancelled(tale) if wish.manner == "cancelled" else self._amended(tale))

    async def follow(self, tale: Tale, until: Callable[[], float]) -> None:
        """Look at the order until it has ended, or the moment ``until()`` (monotonic seconds) has passed."""
        wish = tale.wish
        pause_s = POLL_S
        path = f"{wish.home}/{next(iter(tale.order_ids))}"
        while tale.status not in ENDED and time.monotonic() < until():
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
            answer = await self._once(wish.client, "GET", path)
            if answer is not None and answer.status == 200:
                tale.status = answer.json()["status"]
                if tale.status in UNDECIDED and wish.waits_for_a_yes:
                    await self._approve(tale)
            elif answer is not None and not _again(answer):
                tale.strange.append(f"GET answered {answer.status}: {answer.body.decode(errors='replace')[:300]}")
        self.pulse.ended += tale.status in ENDED
        if wish.manner == "repeated":
            await self._placed(tale)
        if wish.manner == "returned" and tale.status == "completed":
            await self._sent_back(tale)

    async def until_ended(self, path: str, until: Callable[[], float]) -> None:
        """Return when this order has ended, or the moment ``until()`` (monotonic seconds) has passed."""
        pause_s = POLL_S
        while time.monotonic() < until():
            answer = await self.attempt(SALES, "GET", path)
            if answer is not None and answer.status == 200 and answer.json()["status"] in ENDED:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)

    async def attempt(self, client: str, method: str, path: str, body: Any = None, key: str = "") -> Answer | None:
        """The answer to one request; None: nobody answered, or asked to send it again."""
        answer = await self._once(client, method, path, body, key)
        return None if answer is None or _again(answer) else answer

    async def ask(self, client: str, method: str, path: str, body: Any = None, key: str = "") -> Answer:
        """The answer to a request that is sent until somebody answers it.

        Raises:
            Lost: nobody did within ``GIVE_UP_S`` seconds.
        """
        until = time.monotonic() + GIVE_UP_S
        pause_s = PAUSE_S
        while True:
            answer = await self._once(client, method, path, body, key)
            if answer is not None and not _again(answer):
                return answer
            if time.monotonic() > until:
                raise Lost(f"{method} {path} was not answered within {GIVE_UP_S:g} s")
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    async def _placed(self, tale: Tale) -> None:
        wish = tale.wish
        until = time.monotonic() + GIVE_UP_S
        pause_s = PAUSE_S
        for attempt in range(10_000):
            began = time.monotonic()
            answer = await self._once(wish.client, "POST", wish.path, wish.body, wish.key, wait_s=wish.wait_s)
            if answer is not None and answer.status == 202:
                tale.order_ids.add(answer.json()["order_id"])
                if not attempt and not wish.wait_s:
                    self.pulse.acceptance_s.append(time.monotonic() - began)
                return
            if answer is not None and not _again(answer):
                tale.strange.append(f"POST answered {answer.status}: {answer.body.decode(errors='replace')[:300]}")
                return
            if time.monotonic() > until:
                tale.strange.append(f"nobody accepted it within {GIVE_UP_S:g} s")
                return
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_PAUSE_S)

    async def _told_channel(self, tale: Tale) -> bool:
        """Put the order into its channel first, whose number the order then carries."""
        wish = tale.wish
        try:
            answer = await self.ask(SYSTEMS, "POST", CHANNEL_ORDERS, wish.channel_order, f"{wish.key}-channel")
        except Lost as lost:
            tale.strange.append(str(lost))
            return False
        if answer.status != 201:
            tale.strange.append(f"POST {CHANNEL_ORDERS} answered {answer.status}: {answer.body.decode()[:300]}")
            return False
        wish.body["channel_order_id"] = answer.json()["channel_order_id"]
        return True

    async def _cut_off(self, tale: Tale) -> None:
        wish = tale.wish
        self.pulse.cut += 1
        await self._once(wish.client, "POST", wish.path, wish.body, wish.key, cut_after_s=wish.cut_after_s)

    async def _cancelled(self, tale: Tale) -> None:
        wish = tale.wish
        order_id = next(iter(tale.order_ids))
        body = None if wish.home == PORTAL else {"account_id": wish.account_id, "reason": "changed my mind"}
        path = f"{wish.home}/{order_id}/cancel"
        try:
            answer = await self.ask(wish.client, "POST", path, body, f"{wish.key}-cancel")
        except Lost as lost:
            tale.strange.append(str(lost))
            return
        if answer.status == 202:
            tale.cancelled_answer = answer.json()["status"]
        else:
            tale.cancelled_answer = answer.problem

    async def _sent_back(self, tale: Tale) -> None:
        """Return one of the first line."""
        wish, order_id = tale.wish, next(iter(tale.order_ids))
        try:
            order = (await self.ask(SALES, "GET", f"{ORDERS}/{order_id}")).json()
            body = {
                "account_id": wish.account_id,
                "order_id": order_id,
                "sales_order_id": order["sales_order_id"],
                "lines": [{"sku": order["lines"][0]["sku"], "quantity": 1}],
                "reason": "not_needed",
            }
            answer = await self.ask(SALES, "POST", RETURNS, body, f"{wish.key}-return")
        except Lost as lost:
            tale.strange.append(str(lost))
            return
        if answer.status == 202:
            tale.return_id = answer.json()["return_id"]
        else:
            tale.strange.append(f"POST {RETURNS} answered {answer.status}: {answer.body.decode()[:300]}")

    async def _approve(self, tale: Tale) -> None:
        """Say yes; it is said again where it was not heard, or came before the order waited for it."""
        wish = tale.wish
        path = f"{ORDERS}/{next(iter(tale.order_ids))}/approve"
        tale.yeses += 1
        answer = await self._once(
            APPROVER, "POST", path, {"account_id": wish.account_id}, f"{wish.key}-yes-{tale.yeses}"
        )
        if answer is not None and answer.status != 202 and not _again(answer) and answer.problem != "wrong-state":
            tale.strange.append(f"POST {path} answered {answer.status}: {answer.body.decode(errors='replace')[:300]}")

    async def _amended(self, tale: Tale) -> None:
        """Change the first line's quantity at the revision that was read; read again when that is not the newest."""
        wish = tale.wish
        path = f"{ORDERS}/{next(iter(tale.order_ids))}"
        body = {"account_id": wish.account_id, "lines": [{"line_no": 1, "quantity": wish.amended_quantity}]}
        until = time.monotonic() + GIVE_UP_S
        while time.monotonic() < until:
            seen = await self._once(SALES, "GET", path)
            if seen is None or seen.status != 200:
                await asyncio.sleep(PAUSE_S)
                continue
            if seen.json()["lines"][0]["quantity"] == wish.amended_quantity:  # by an answer that was lost
                tale.amended = True
                return
            answer = await self._once(SALES, "PATCH", path, body, if_match=seen.etag)
            if answer is None or _again(answer) or answer.problem == "precondition-failed":
                await asyncio.sleep(PAUSE_S)
                continue
            if answer.status == 200:
                tale.amended = True
            elif answer.problem != "wrong-state":
                tale.strange.append(f"PATCH answered {answer.status}: {answer.body.decode(errors='replace')[:300]}")
            return
        tale.strange.append(f"nobody answered its amendment within {GIVE_UP_S:g} s")

    async def _once(
        self,
        client: str,
        method: str,
        path: str,
        body: Any = None,
        key: str = "",
        *,
        wait_s: int = 0,
        if_match: str = "",
        cut_after_s: float | None = None,
    ) -> Answer | None:
        headers = {"Authorization": f"Bearer {self._tokens[client]}"}
        if if_match:
            headers["If-Match"] = if_match
        if body is not None:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        if wait_s:
            headers["Prefer"] = f"wait={wait_s}"
        self._turn += 1
        port = self._ports[self._turn % len(self._ports)]
        content = b"" if body is None else msgspec.json.encode(body)
        self.pulse.sent += 1
        try:
            answer = await self._connections.send(
                port, method, path, headers=headers, body=content, cut_after_s=cut_after_s
            )
        except Lost:
            if cut_after_s is None:
                self.pulse.failure("connection lost")
            return None
        if _again(answer):
            self.pulse.failure(answer.problem)
        else:
            self.pulse.answer()
        return answer


def _again(answer: Answer) -> bool:
    return answer.status >= 400 and answer.problem in AGAIN
