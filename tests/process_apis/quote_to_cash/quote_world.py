"""Quotes over HTTP on the embedded systems: asked for, answered, and followed to the money."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import sqlalchemy as sa

from governance.call import Clock, SystemClock
from process_apis.events.tables import events
from process_apis.order_to_fulfillment.v1.service import OrderToFulfillment
from process_apis.quote_to_cash.rules import ClassDiscount, DiscountRules, SalesLimit, VolumeDiscount
from process_apis.quote_to_cash.settings import QuoteSettings
from process_apis.quote_to_cash.v1.service import QuoteToCash
from process_apis.returns.v1.service import Returns
from system_apis.commerce.v1.service import Commerce
from system_apis.crm.v1.service import Crm
from system_apis.erp.v1.service import Erp
from system_apis.logistics.v1.service import Logistics
from system_apis.notifications.messages import Message
from system_apis.notifications.port import MessageFilter
from system_apis.notifications.v1.service import Notifications
from system_apis.payments.v1.service import Payments
from tests.process_apis.world import World

SERVICES: Sequence[type[Any]] = (
    Erp, Crm, Logistics, Payments, Commerce, Notifications, Returns, OrderToFulfillment, QuoteToCash,
)  # fmt: skip
BEARING = "BRG-6204"
QUOTES = "/process/quote-to-cash/v1/quotes"
LINKS = "/process/quote-to-cash/v1/quote-links"
RULES = QuoteSettings(
    discounts=DiscountRules(
        classes=(ClassDiscount(segment="key", discount_bp=200),),
        volumes=(VolumeDiscount(from_minor=1_000_000, discount_bp=100),),
        limits=(SalesLimit(subject="platform", limit_bp=1_500),),
        limit_bp=0,
    ),
    look_s=3_600,
)
DAY_S = 86_400
_numbers = count(1)


class Ahead(SystemClock):
    """A clock that can be put forward; it goes on from there."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def pass_days(self, days: float) -> None:
        self.ahead += timedelta(days=days)


def extra(clock: Clock) -> dict[Any, Any]:
    """What a world of quotes stands on beside the systems."""
    return {
        Clock: clock,
        QuoteSettings: RULES,
    }


def wish(*lines: tuple[str, int, int | None], account_id: str = "ACME", **more: Any) -> dict[str, Any]:
    """The body that asks for a quote of (SKU, quantity, wished discount)."""
    return {
        "account_id": account_id,
        "lines": [
            {"sku": sku, "quantity": quantity, **({} if bp is None else {"wanted_discount_bp": bp})}
            for sku, quantity, bp in lines
        ],
        **more,
    }


def request(world: World, body: dict[str, Any], *, who: str = "platform", key: str = "", wait_s: int = 8) -> Any:
    """A quote that was asked for, once it is sent, waits for approval or has ended."""
    answer = world.ask(who, "POST", QUOTES, body=body, key=key or f"quote-{next(_numbers)}", wait_s=wait_s)
    assert answer.status_code == 202, answer.text
    return answer.json()


def sent(world: World, *lines: tuple[str, int, int | None], **more: Any) -> Any:
    """A quote of ACME that was sent."""
    quote = request(world, wish(*(lines or ((BEARING, 10, None),)), **more))
    assert quote["status"] == "sent", quote
    return quote


def say(
    world: World,
    quote: Any,
    what: str,
    *,
    who: str = "platform",
    key: str = "",
    revision: int | None = None,
    **body: Any,
) -> Any:
    """The answer to something that is said about a quote."""
    body = {"account_id": quote["account_id"], **body}
    if what != "withdraw":
        body["revision"] = revision or quote["revision"]
    path = f"{QUOTES}/{quote['quote_id']}/{what}"
    return world.ask(who, "POST", path, body=body, key=key or f"{what}-{next(_numbers)}", wait_s=8)


def said(world: World, quote: Any, what: str, **more: Any) -> Any:
    """The quote after something was said that it takes."""
    answer = say(world, quote, what, **more)
    assert answer.status_code == 202, answer.text
    return answer.json()


def seen(world: World, quote: Any, *statuses: str, good: Any = None, within_s: float = 40) -> Any:
    """The quote once it has one of these statuses, and is ``good``."""
    deadline = time.monotonic() + within_s
    while True:
        found = world.get("platform", f"{QUOTES}/{quote['quote_id']}")
        fits = found["status"] in statuses and (good is None or good(found))
        if fits or time.monotonic() > deadline:
            assert fits, found
            return found
        world.run(asyncio.sleep(0.02))


def letters(world: World, number: str) -> list[Message]:
    """What was written to people about something of this number, oldest first."""
    found = world.run(world.notifications.list_messages(MessageFilter(), 0, 1_000))
    return [message for _, message in found if number in message.subject or number in message.text]


def token_of(world: World, quote: Any) -> str:
    """The token of the link that the customer was last sent."""
    text = [one.text for one in letters(world, quote["crm_quote_id"]) if one.template == "quote_sent"][-1]
    found = re.search(r"https://portal\.example/quotes#([A-Za-z0-9_-]+)", text)
    assert found, text
    return found[1]


def events_of(world: World, subject: str) -> list[str]:
    """The types of what was told about something, in order."""
    query = sa.select(events.c.type).where(events.c.subject == subject).order_by(events.c.sequence)
    return world.run(world.flows.read(lambda connection: list(connection.execute(query).scalars())))


def noted(world: World, quote: Any, last: str) -> list[str]:
    """The kinds of activities that the sales person reads about the quote, oldest first, once ``last`` is there."""
    numbers = (quote["crm_quote_id"], quote["quote_id"])
    deadline = time.monotonic() + 40
    while True:
        found = world.collect("platform", "/system/crm/v1/activities", account_id=quote["account_id"])
        kinds = [one["kind"] for one in found if one["subject_id"] in numbers]
        if last in kinds or time.monotonic() > deadline:
            return kinds
        world.run(asyncio.sleep(0.02))


def erp_orders(world: World, reference: str) -> list[Any]:
    """The ERP's orders with the customer's own number."""
    found = world.collect("platform", "/system/erp/v1/sales-orders", account_id="ACME")
    return [one for one in found if one["customer_reference"] == reference]
