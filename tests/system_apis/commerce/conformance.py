"""What every commerce connector must do. Subclass it where the connector's tests are, with a ``port`` fixture.

The platform behind the port holds nothing but what the suite writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, get_args

import msgspec
import pytest

from governance.contract.problems import NotFound
from system_apis.canonical.entities import ChannelOrder
from system_apis.canonical.refusals import CurrencyMismatch, ReferenceTaken, UnknownProduct
from system_apis.canonical.values import Address, Money, UnitPrice
from system_apis.commerce.drafts import (
    Channel,
    ChannelStatus,
    ItemListing,
    NewChannelOrder,
    NewChannelOrderLine,
    StatusWriteBack,
)
from system_apis.commerce.port import CommercePort

CHANNELS: tuple[Channel, ...] = get_args(Channel)
HOME = Address(name="Acme", street="Hafenstraße 12", city="Hamburg", country="DE")
LISTING = ItemListing(title="Ball bearing 6204", price=Money(899, "EUR"))


def order(
    channel: Channel = "web_shop", *, sku: str = "BRG-6204", quantity: int = 3, currency: str = "EUR"
) -> NewChannelOrder:
    """Three bearings at 8.99 and one more, to Hamburg."""
    price = UnitPrice(Money(899, currency))
    lines = (
        NewChannelOrderLine(sku=sku, quantity=quantity, unit_price=price),
        NewChannelOrderLine(sku="BRG-6204", quantity=1, unit_price=UnitPrice(Money(899, "EUR"))),
    )
    return NewChannelOrder(channel=channel, account_id="ACME", lines=lines, ship_to=HOME)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Play a scenario on an event loop of its own."""
    asyncio.run(scenario)


async def listed(port: CommercePort) -> None:
    """List the bearing on every channel."""
    for channel in CHANNELS:
        await port.put_item(channel, "BRG-6204", LISTING)


class CommercePortConformance:
    """The promises of ``CommercePort``."""

    def test_an_item_is_made_and_replaced_whole(self, port: CommercePort) -> None:
        async def scenario() -> None:
            with pytest.raises(UnknownProduct):
                await port.get_item("web_shop", "BRG-6204")
            made = await port.put_item("web_shop", "BRG-6204", LISTING)
            assert (made.channel, made.sku, made.title, made.price) == (
                "web_shop",
                "BRG-6204",
                LISTING.title,
                LISTING.price,
            )
            assert await port.put_item("web_shop", "BRG-6204", LISTING) == made
            assert await port.get_item("web_shop", "BRG-6204") == made
            with pytest.raises(UnknownProduct):
                await port.get_item("marketplace_north", "BRG-6204")
            replaced = await port.put_item("web_shop", "BRG-6204", ItemListing(title="New", price=Money(5, "EUR")))
            assert await port.get_item("web_shop", "BRG-6204") == replaced
            assert replaced.title == "New"

        run(scenario())

    def test_a_channel_lists_what_it_sells_page_by_page(self, port: CommercePort) -> None:
        async def scenario() -> None:
            for sku in ("C-3", "A-1", "B-2"):
                await port.put_item("web_shop", sku, ItemListing(title=f"Größe {sku}", price=Money(1, "EUR")))
            await port.put_item("web_shop", "D-4", msgspec.structs.replace(LISTING, listed=False))
            await port.put_item("marketplace_north", "E-5", LISTING)
            assert await _skus(port) == ["A-1", "B-2", "C-3"]
            assert await _skus(port, limit=2) == ["A-1", "B-2"]
            assert await _skus(port, after="A-1") == ["B-2", "C-3"]
            assert await _skus(port, query="GRÖSSE b") == ["B-2"]
            assert await _skus(port, query="c-3") == ["C-3"]
            assert await _skus(port, query="%") == []
            assert not (await port.get_item("web_shop", "D-4")).listed

        run(scenario())

    def test_an_order_is_taken_once_for_each_reference(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            assert await port.find_channel_order_by_reference("r-1") is None
            first = await port.create_channel_order(order(), "r-1")
            assert (first.status, first.total, first.order_id) == ("new", Money(3_596, "EUR"), "")
            assert await port.create_channel_order(order(), "r-1") == first
            assert await port.find_channel_order_by_reference("r-1") == first
            assert await port.get_channel_order(first.channel_order_id) == first
            with pytest.raises(ReferenceTaken):
                await port.create_channel_order(order(quantity=4), "r-1")
            made = await asyncio.gather(*(port.create_channel_order(order(), "r-2") for _ in range(25)))
            assert len({taken.channel_order_id for taken in made}) == 1

        run(scenario())

    def test_an_order_is_for_listed_items_in_one_currency(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            await port.put_item("web_shop", "OFF-1", msgspec.structs.replace(LISTING, listed=False))
            for sku in ("OFF-1", "NONE-1"):
                with pytest.raises(UnknownProduct) as caught:
                    await port.create_channel_order(order(sku=sku), "r-1")
                assert caught.value.sku == sku
            with pytest.raises(CurrencyMismatch):
                await port.create_channel_order(order(currency="USD"), "r-1")
            assert await port.find_channel_order_by_reference("r-1") is None

        run(scenario())

    def test_a_status_moves_forward_in_the_words_of_each_channel(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            words: dict[str, list[str]] = {}
            for channel in CHANNELS:
                taken = await port.create_channel_order(order(channel), f"r-{channel}")
                words[channel] = [taken.channel_status]
                for status in ("accepted", "shipped", "completed"):
                    taken = await _write(port, taken, status, f"{channel}-{status}")
                    assert (taken.status, taken.order_id) == (status, f"O-{channel}")
                    words[channel].append(taken.channel_status)
            assert all(len(set(own)) == 4 for own in words.values())
            assert len({tuple(own) for own in words.values()}) == len(CHANNELS)

        run(scenario())

    @pytest.mark.parametrize(
        ("reached", "late"),
        [
            ("accepted", "new"),
            ("shipped", "accepted"),
            ("shipped", "cancelled"),
            ("shipped", "rejected"),
            ("completed", "shipped"),
            ("cancelled", "shipped"),
            ("rejected", "accepted"),
        ],
    )
    def test_a_late_write_back_changes_nothing(
        self, port: CommercePort, reached: ChannelStatus, late: ChannelStatus
    ) -> None:
        async def scenario() -> None:
            await listed(port)
            taken = await port.create_channel_order(order(), "r-1")
            there = await _write(port, taken, reached, "w-1")
            assert await _write(port, taken, late, "w-2") == there
            assert await port.get_channel_order(taken.channel_order_id) == there

        run(scenario())

    def test_a_write_back_is_once_for_each_reference(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            taken = await port.create_channel_order(order(), "r-1")
            await _write(port, taken, "accepted", "w-1")
            shipped = await _write(port, taken, "shipped", "w-2")
            assert await _write(port, taken, "accepted", "w-1") == shipped
            assert await port.find_channel_order_by_reference("w-1") == shipped
            for reference in ("w-1", "r-1"):
                with pytest.raises(ReferenceTaken):
                    await _write(port, taken, "completed", reference)
            with pytest.raises(ReferenceTaken):
                await port.create_channel_order(order(), "w-1")
            with pytest.raises(NotFound):
                await port.write_back_status(
                    "WEB-99999999", StatusWriteBack(account_id="ACME", status="shipped"), "w-9"
                )

        run(scenario())

    def test_a_channel_order_becomes_one_order(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            taken = await port.create_channel_order(order(), "r-1")
            number = taken.channel_order_id
            await port.write_back_status(
                number, StatusWriteBack(account_id="ACME", status="accepted", order_id="O-1"), "w-1"
            )
            with pytest.raises(ReferenceTaken):
                await port.write_back_status(
                    number, StatusWriteBack(account_id="ACME", status="shipped", order_id="O-2"), "w-2"
                )
            kept = await port.write_back_status(number, StatusWriteBack(account_id="ACME", status="shipped"), "w-3")
            assert (kept.status, kept.order_id) == ("shipped", "O-1")

        run(scenario())

    def test_a_write_back_finds_no_order_of_another_account(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            taken = await port.create_channel_order(order(), "r-1")
            foreign = StatusWriteBack(account_id="OTHER", status="shipped", order_id="O-1")
            with pytest.raises(NotFound):
                await port.write_back_status(taken.channel_order_id, foreign, "w-1")
            assert await port.get_channel_order(taken.channel_order_id) == taken

        run(scenario())

    def test_orders_are_listed_by_each_filter_and_page_by_page(self, port: CommercePort) -> None:
        async def scenario() -> None:
            await listed(port)
            first, second, third = [
                await port.create_channel_order(order(channel), f"r-{channel}") for channel in CHANNELS
            ]
            other = await port.create_channel_order(msgspec.structs.replace(order(), account_id="OTHER"), "r-4")
            second = await _write(port, second, "shipped", "w-1")
            third = await _write(port, third, "shipped", "w-2")
            assert await _orders(port) == (first, second, third, other)
            assert await _orders(port, channel="web_shop") == (first, other)
            assert await _orders(port, account_ids=("OTHER",)) == (other,)
            assert await _orders(port, account_ids=("ACME", "OTHER")) == await _orders(port)
            assert await _orders(port, account_ids=()) == ()
            assert await _orders(port, status="shipped") == (second, third)
            assert await _orders(port, status="shipped", channel="marketplace_south") == (third,)
            assert await _orders(port, limit=2) == (first, second)
            assert await _orders(port, after=second.channel_order_id) == (third, other)
            for nothing in ("WEB-99999999", "nonsense", second.channel_order_id.replace("MPN", "WEB")):
                with pytest.raises(NotFound):
                    await port.get_channel_order(nothing)

        run(scenario())


async def _write(port: CommercePort, taken: ChannelOrder, status: ChannelStatus, reference: str) -> ChannelOrder:
    write_back = StatusWriteBack(account_id="ACME", status=status, order_id=f"O-{taken.channel}")
    return await port.write_back_status(taken.channel_order_id, write_back, reference)


async def _skus(
    port: CommercePort, *, query: str | None = None, after: str | None = None, limit: int = 100
) -> list[str]:
    found = await port.list_items(channel="web_shop", query=query, after=after, limit=limit)
    return [item.sku for item in found]


async def _orders(port: CommercePort, **asked: Any) -> tuple[ChannelOrder, ...]:
    filters: dict[str, Any] = {
        "channel": None,
        "status": None,
        "account_ids": None,
        "after": None,
        "limit": 100,
        **asked,
    }
    return await port.list_channel_orders(**filters)
