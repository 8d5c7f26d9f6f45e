"""Commerce v1 over the embedded platform: keys become references, and lists go on where they stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from governance.call import Accounts, Call, ManualClock, Principal, enter, leave
from governance.contract import CursorCodec, api_of
from governance.contract.refusals import InvalidParameters
from system_apis.canonical.refusals import ReferenceTaken
from system_apis.commerce.connectors.embedded.connector import Connector, Settings
from system_apis.commerce.v1 import service
from system_apis.commerce.v1.contract import CommerceV1
from system_apis.commerce.v1.model import StatusWriteBack
from system_apis.commerce.v1.service import Commerce
from system_apis.embedded import RecordFiles
from tests.system_apis.commerce.conformance import LISTING, listed, order


@contextmanager
def keyed(key: str) -> Generator[None]:
    """Under a call with this idempotency key."""
    principal = Principal(subject="test", client_id="test", accounts=Accounts(reach="all"))
    token = enter(Call(principal=principal, operation_id="commerce.v1.any", idempotency_key=key))
    try:
        yield
    finally:
        leave(token)


@pytest.fixture
def port(tmp_path: Path) -> Iterator[Connector]:
    files = RecordFiles(tmp_path)
    yield Connector(Settings(seed=False), files, ManualClock())
    files.close()


@pytest.fixture
def commerce(port: Connector) -> Commerce:
    return Commerce(port, CursorCodec(b"test"))


def test_orders_and_write_backs_go_under_the_key_of_their_call(commerce: Commerce, port: Connector) -> None:
    async def scenario() -> None:
        await listed(port)
        with keyed("k-1"):
            taken = await commerce.create_channel_order(order())
            assert await commerce.create_channel_order(order()) == taken
            with pytest.raises(ReferenceTaken):
                await commerce.create_channel_order(order(quantity=9))
        with keyed("k-2"):
            write_back = StatusWriteBack(account_id="ACME", status="accepted", order_id="O-1")
            written = await commerce.write_back_status(taken.channel_order_id, write_back)
        assert (written.status, written.channel_status, written.order_id) == ("accepted", "processing", "O-1")
        assert await port.find_channel_order_by_reference("k-2") == written
        assert await commerce.get_channel_order(taken.channel_order_id) == written

    asyncio.run(scenario())


def test_lists_go_on_where_they_stopped(commerce: Commerce) -> None:
    async def scenario() -> None:
        for sku in ("A-1", "B-2", "BRG-6204"):
            item = await commerce.put_item("web_shop", sku, LISTING)
            assert await commerce.get_item("web_shop", sku) == item
        first = await commerce.list_items("web_shop", limit=2)
        second = await commerce.list_items("web_shop", limit=2, cursor=first.next_cursor)
        assert [item.sku for page in (first, second) for item in page.items] == ["A-1", "B-2", "BRG-6204"]
        assert second.next_cursor is None
        with pytest.raises(InvalidParameters):
            await commerce.list_items("marketplace_north", limit=2, cursor=first.next_cursor)
        for key in ("k-1", "k-2", "k-3"):
            with keyed(key):
                await commerce.create_channel_order(order())
        orders = await commerce.list_channel_orders(channel="web_shop", limit=2)
        rest = await commerce.list_channel_orders(channel="web_shop", limit=2, cursor=orders.next_cursor)
        assert len({taken.reference for taken in (*orders.items, *rest.items)}) == 3

    asyncio.run(scenario())


def test_cursors_are_bound_to_operations_that_exist() -> None:
    searches = {operation.id for operation in api_of(CommerceV1).operations if operation.kind == "search"}
    assert searches == {service.ITEMS, service.ORDERS}
