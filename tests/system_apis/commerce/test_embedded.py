"""The embedded platform keeps the port's promises, over restarts and over processes that share its file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from governance.call import ManualClock
from system_apis.commerce.connectors.embedded.connector import Connector, Settings, StatusCount
from system_apis.commerce.connectors.embedded.words import AHEAD, CANONICAL, WORDS
from system_apis.commerce.drafts import Channel, ChannelStatus, StatusWriteBack
from system_apis.embedded import RecordFiles, seed_rows
from tests.system_apis.commerce.conformance import LISTING, CommercePortConformance, listed, order


@pytest.fixture
def files(tmp_path: Path) -> Iterator[RecordFiles]:
    files = RecordFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def port(files: RecordFiles, clock: ManualClock) -> Connector:
    return Connector(Settings(seed=False), files, clock)


class TestConformance(CommercePortConformance):
    """The embedded connector under the suite of its port."""


def test_every_channel_has_one_word_for_every_status() -> None:
    statuses = set(get_args(ChannelStatus))
    assert set(WORDS) == set(get_args(Channel))
    assert set(AHEAD) == statuses
    for channel, words in WORDS.items():
        assert set(words) == statuses
        assert set(CANONICAL[channel].values()) == statuses


def test_no_status_comes_back() -> None:
    def reachable(status: ChannelStatus) -> set[ChannelStatus]:
        return {later for ahead in AHEAD[status] for later in (ahead, *reachable(ahead))}

    for status in AHEAD:
        assert status not in reachable(status)


def test_an_unchanged_item_keeps_its_time(port: Connector, clock: ManualClock) -> None:
    async def scenario() -> None:
        made = await port.put_item("web_shop", "BRG-6204", LISTING)
        clock.advance(60)
        assert await port.put_item("web_shop", "BRG-6204", LISTING) == made

    asyncio.run(scenario())


def test_two_connectors_on_one_file_take_an_order_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        folders = [RecordFiles(tmp_path), RecordFiles(tmp_path)]
        left, right = (Connector(Settings(seed=False), files, ManualClock()) for files in folders)
        await listed(left)
        made = await asyncio.gather(
            *(connector.create_channel_order(order(), "r-1") for connector in (left, right) for _ in range(10))
        )
        assert len({taken.channel_order_id for taken in made}) == 1
        for files in folders:
            files.close()

    asyncio.run(scenario())


def test_a_restart_forgets_nothing_and_sows_nothing_twice(tmp_path: Path) -> None:
    async def life() -> tuple[StatusCount, ...]:
        files = RecordFiles(tmp_path)
        connector = Connector(Settings(), files, ManualClock())
        await connector.start()
        counts = await connector.ledger()
        await connector.stop()
        files.close()
        return counts

    first = asyncio.run(life())
    assert first
    assert asyncio.run(life()) == first


def test_the_dataset_fits_the_shared_products_and_accounts(files: RecordFiles, clock: ManualClock) -> None:
    async def scenario() -> None:
        connector = Connector(Settings(), files, clock)
        await connector.start()
        products = {row["sku"] for row in seed_rows("products")}
        accounts = {row["account_id"] for row in seed_rows("accounts")}
        for channel in get_args(Channel):
            items = await connector.list_items(channel=channel, query=None, after=None, limit=200)
            assert items
            assert {item.sku for item in items} <= products
        orders = await connector.list_channel_orders(channel=None, status=None, account_ids=None, after=None, limit=200)
        assert {taken.channel for taken in orders} == set(get_args(Channel))
        assert {taken.account_id for taken in orders} <= accounts
        assert {taken.status for taken in orders} >= {"new", "cancelled"}

    asyncio.run(scenario())


def test_the_ledger_counts_orders_by_channel_and_status(port: Connector) -> None:
    async def scenario() -> None:
        await listed(port)
        assert await port.ledger() == ()
        await port.create_channel_order(order(), "r-1")
        taken = await port.create_channel_order(order("marketplace_south"), "r-2")
        write_back = StatusWriteBack(account_id="ACME", status="shipped", order_id="O-1")
        await port.write_back_status(taken.channel_order_id, write_back, "w-1")
        assert await port.ledger() == (
            StatusCount(channel="marketplace_south", status="shipped", count=1, tied=1),
            StatusCount(channel="web_shop", status="new", count=1, tied=0),
        )

    asyncio.run(scenario())
