"""A started write is finished, whoever stops waiting for it; a read ends with its caller."""

from __future__ import annotations

import asyncio

import pytest

from gateway.composition.lifetime import lifetime
from governance.bindings.remote import HopClient
from governance.contract.refusals import DeadlineExceeded
from tests.governance.bindings.real_server import RealServer
from tests.governance.bindings.sample_gateway import (
    SHELVES,
    apart,
    ask,
    assemble,
    calling,
    edge_of,
    shelves_of,
    shelves_stub,
)

pytestmark = pytest.mark.anyio
KEY = {"Idempotency-Key": "k"}


async def test_a_write_goes_on_when_its_client_goes_away() -> None:
    assembly = assemble()
    shelves = shelves_of(assembly)
    request = asyncio.create_task(ask(edge_of(assembly), "POST", f"{SHELVES}/books/slow/bind", headers=KEY))
    await shelves.binding.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert shelves.removed == []
    shelves.bound.set()
    async with asyncio.timeout(30):
        while not shelves.removed:
            await asyncio.sleep(0)
    assert shelves.removed == ["slow"]


async def test_no_part_stops_under_a_write_that_nobody_waits_for() -> None:
    assembly = assemble()
    shelves = shelves_of(assembly)
    async with lifetime([])(None):
        request = asyncio.create_task(ask(edge_of(assembly), "POST", f"{SHELVES}/books/slow/bind", headers=KEY))
        await shelves.binding.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        asyncio.get_running_loop().call_later(0.05, shelves.bound.set)
    assert shelves.removed == ["slow"]


async def test_a_write_of_another_process_goes_on_beyond_the_deadline(real_server: RealServer) -> None:
    shelves = real_server.shelves
    shelves.removed.clear()
    client = HopClient(timeout_s=0.2)
    await client.start()
    with calling(), pytest.raises(DeadlineExceeded):
        await shelves_stub(apart(client, real_server.url)).bind_book("slow")
    await client.stop()
    assert (shelves.binding.is_set(), shelves.removed) == (True, [])
    real_server.run(shelves.bound.set)
    async with asyncio.timeout(30):
        while not shelves.removed:
            await asyncio.sleep(0.01)
    assert shelves.removed == ["slow"]


async def test_a_read_ends_with_its_caller() -> None:
    request = asyncio.create_task(ask(edge_of(assemble()), "GET", f"{SHELVES}/books/slow"))
    await asyncio.sleep(0)
    others = asyncio.all_tasks()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert others - asyncio.all_tasks() == {request}
