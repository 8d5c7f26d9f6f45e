"""Places at a vendor: never more than there are, over processes and kills; shared fairly by priority."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from governance.contract import Problem
from governance.contract.refusals import SystemUnavailable
from governance.egress import Egress
from governance.egress.places import Place, Places
from governance.egress.settings import Priority, VendorSettings
from governance.store import Store
from tests.governance.egress.conftest import opened
from tests.governance.egress.vendor import (
    BAD_CHUNKS,
    Asked,
    Vendor,
    answering,
    hanging,
    hanging_up,
    in_turn,
    raw_answer,
)
from tests.lived import lived

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[3]
Make = Callable[..., Places]


@asynccontextmanager
async def places_of(store: Store | None, **settings: float) -> AsyncGenerator[Make]:
    """Makes what one process sees of the vendor's places."""
    made: list[Places] = []

    def make() -> Places:
        one = Places("erp", VendorSettings(**settings), store)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        made.append(one)
        return one

    yield make
    for one in made:
        await one.stop()


async def free(places: Places) -> bool:
    """Whether another place can be had now."""
    try:
        place = await places.take("normal", 0.06)
    except SystemUnavailable:
        return False
    places.give_back(place)
    return True


async def test_no_more_places_are_held_than_there_are(store: Store) -> None:
    async with places_of(store, concurrency=3) as make:
        here, there = make(), make()
        held = [(one, await one.take("normal", 1.0)) for one in (here, there, here)]
        assert not await free(here)
        assert not await free(there)
        one, place = held.pop()
        one.give_back(place)
        assert await free(there)


async def test_what_falls_free_goes_to_who_waits_longest_over_processes(store: Store) -> None:
    async with places_of(store, concurrency=1) as make:
        here, there = make(), make()
        held = await here.take("normal", 1.0)
        first = asyncio.create_task(there.take("normal", 2.0))
        while not await store.command(b"HLEN", b"egress:{erp}:waiting"):
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.03)  # its place in the row is told in milliseconds
        second = asyncio.create_task(here.take("normal", 2.0))
        await asyncio.sleep(0)
        here.give_back(held)
        done, _ = await asyncio.wait((first, second), return_when=asyncio.FIRST_COMPLETED)
        assert done == {first}
        there.give_back(first.result())
        here.give_back(await second)


async def test_a_lease_ends_by_itself_and_a_late_return_frees_nothing(store: Store) -> None:
    async with places_of(store, concurrency=1, total_timeout_s=0.05) as make:
        killed, alive = make(), make()
        lost = await killed.take("normal", 1.0)
        place = await alive.take("normal", 2.0)
        assert place.fence > lost.fence
        killed.give_back(lost)
        assert not await free(alive)
        alive.give_back(place)


async def test_a_flood_of_low_priority_delays_high_by_the_next_place_only(store: Store) -> None:
    async with places_of(store, concurrency=2, queue=500, queue_wait_s=60.0) as make:
        flooding, urgent = make(), make()
        order: list[str] = []

        async def work(places: Places, priority: Priority) -> None:
            place = await places.take(priority, 60.0)
            order.append(priority)
            await asyncio.sleep(0.002)
            places.give_back(place)

        flood = [asyncio.create_task(work(flooding, "low")) for _ in range(200)]
        while len(order) < 20:
            await asyncio.sleep(0.001)
        before = len(order)
        await asyncio.gather(*(work(urgent, "high") for _ in range(5)))
        low_meanwhile = order[before:].count("low")
        await asyncio.gather(*flood)
    assert low_meanwhile <= 40, "high waits for its process to be heard of, not for the flood"
    assert len(order) == 205


async def test_nobody_starves_and_weights_hold_under_full_load(store: Store) -> None:
    async with places_of(store, concurrency=1, queue=500, queue_wait_s=60.0) as make:
        places = make()
        order: list[Priority] = []

        async def work(priority: Priority) -> None:
            place = await places.take(priority, 60.0)
            order.append(priority)
            places.give_back(place)

        first = await places.take("normal", 1.0)
        tasks = [asyncio.create_task(work(one)) for one in ("low", "normal", "high") for _ in range(130)]
        await asyncio.sleep(0)
        places.give_back(first)
        await asyncio.gather(*tasks)
    shares = [order[:130].count(one) for one in ("high", "normal", "low")]
    assert shares == pytest.approx([80, 40, 10], abs=2)


async def test_waiting_is_bounded_in_time_and_number_for_each_priority(store: Store) -> None:
    async with places_of(store, concurrency=1, queue=2, queue_wait_s=0.1) as make:
        places = make()
        held = await places.take("low", 1.0)
        waiting = [asyncio.create_task(places.take("low", 1.0)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(SystemUnavailable, match="Too many"):
            await places.take("low", 1.0)
        urgent = asyncio.create_task(places.take("high", 1.0))
        await asyncio.sleep(0)
        places.give_back(held)
        places.give_back(await urgent)
        held = await waiting[0]
        with pytest.raises(SystemUnavailable, match="in time"):
            await waiting[1]
        for _ in range(4):  # who has given up waits no longer
            with pytest.raises(SystemUnavailable, match="in time"):
                await places.take("low", 0.01)
        places.give_back(held)


async def test_a_caller_that_stops_waiting_takes_no_place(store: Store) -> None:
    async with places_of(store, concurrency=1) as make:
        places = make()
        held = await places.take("normal", 1.0)
        for _ in range(5):
            with pytest.raises(SystemUnavailable):
                await places.take("normal", 0.005)
        gone = asyncio.create_task(places.take("normal", 1.0))
        await asyncio.sleep(0)
        places.give_back(held)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert await free(places)
    assert places.held == 0


async def test_a_quota_holds_in_any_span_and_over_processes(store: Store) -> None:
    async with places_of(store, quota_calls=10, quota_window_s=1, queue_wait_s=60.0) as make, lived() as lived_s:
        here, there = make(), make()
        admitted: list[float] = []
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def work(places: Places) -> None:
            places.give_back(await places.take("normal", 60.0))
            admitted.append(loop.time())

        await asyncio.gather(*(work(places) for places in (here, there) for _ in range(13)))
        assert lived_s() < 4.0
    assert admitted[10] - began >= 0.95
    assert admitted[20] - began >= 1.95
    for number, at in enumerate(admitted[:-10]):
        assert admitted[number + 10] - at >= 0.4, "far apart, though we may hear late of the first"


async def test_without_the_store_a_process_goes_on_with_a_few_and_no_quota_is_guessed() -> None:
    away = Store("/nowhere/at/all.sock")
    async with places_of(away, concurrency=50, concurrency_without_store=2, total_timeout_s=0.05) as make:
        places = make()
        assert not await free(places), "others may still hold what was leased to them"
        held = [await places.take("normal", 1.0) for _ in range(2)]
        assert held == [Place(0), Place(0)]
        assert not await free(places)
        places.give_back(held[0])
        assert await free(places)
        places.give_back(held[1])
    async with places_of(away, quota_calls=50) as make:
        with pytest.raises(SystemUnavailable, match="quota"):
            await make().take("normal", 1.0)


async def test_a_call_gives_its_place_back_whatever_becomes_of_it(shared: Egress) -> None:
    only = VendorSettings(concurrency=1, total_timeout_s=5.0, read_timeout_s=0.1, queue_wait_s=0.5)
    client = await opened(shared, only)
    troubles = (answering(503), hanging_up, answering(404), hanging, BAD_CHUNKS)
    async with Vendor(in_turn(*troubles, hanging, answering())) as vendor:
        for _ in troubles:
            with suppress(Problem):
                await client.request("POST", f"{vendor.url}/")
        gone = asyncio.create_task(client.request("POST", f"{vendor.url}/"))
        while len(vendor.asked) <= len(troubles):
            await asyncio.sleep(0.001)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        for _ in range(3):
            assert (await client.request("POST", f"{vendor.url}/")).ok


CALLER = """
import asyncio, sys
from governance.contract import Problem
from governance.egress import Egress, VendorSettings
from governance.store import Store

async def main(socket, url):
    store = Store(socket)
    await store.start()
    egress = Egress(store=store)
    settings = VendorSettings(concurrency=3, total_timeout_s=2.0, queue_wait_s=2.0)
    vendor = egress.vendor("erp", settings)
    await egress.start()

    async def caller():
        while True:
            try:
                await vendor.request("GET", url)
            except Problem:
                pass

    await asyncio.gather(*(caller() for _ in range(6)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=[pytest.mark.proof, pytest.mark.timeout(240)])])
async def test_a_vendor_never_sees_more_calls_than_places_while_processes_are_killed(
    store: Store, valkey_socket: str, kills: int
) -> None:
    """A killed process leaves calls at the vendor, which may still work on them; its places wait for its lease."""
    started: list[subprocess.Popen[bytes]] = []
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    async def slowly(_: Asked, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        writer.write(raw_answer())

    async with Vendor(slowly) as vendor:

        def start() -> None:
            command = [sys.executable, "-c", CALLER, valkey_socket, f"{vendor.url}/"]
            started.append(subprocess.Popen(command, env=environ))

        async def served(more: int) -> None:
            wanted = len(vendor.asked) + more
            async with asyncio.timeout(20):
                while len(vendor.asked) < wanted:
                    await asyncio.sleep(0.005)

        try:
            for _ in range(3):
                start()
            await served(30)
            for _ in range(kills):
                victim = started.pop(0)
                os.kill(victim.pid, signal.SIGKILL)
                victim.wait()
                start()
                await served(30)
            assert vendor.most_at_once == 3
        finally:
            for process in started:
                process.kill()
                process.wait()
