"""Flows beside requests: one at a time while requests go on, and none is held up for long."""

from __future__ import annotations

import asyncio

import pytest

from governance.call import Foreground
from process_apis.flow import background as module
from process_apis.flow.background import AT_ONCE, Background

pytestmark = pytest.mark.anyio


@pytest.fixture
def busy() -> Foreground:
    """A process whose requests never end."""
    foreground = Foreground()
    foreground.begin()
    return foreground


async def passing(background: Background, order: list[str], name: str, priority: int, until: asyncio.Event) -> None:
    async with background.turn(priority):
        order.append(name)
        await until.wait()


async def _waiting(background: Background, count: int) -> None:
    async with asyncio.timeout(10):
        while background.waiting != count:
            await asyncio.sleep(0.001)


async def _soon(order: list[str], count: int) -> None:
    async with asyncio.timeout(10):
        while len(order) < count:
            await asyncio.sleep(0.001)


async def test_without_requests_a_few_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 60.0)
    background, order, end = Background(Foreground()), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(passing(background, order, str(number), 5, end)) for number in range(20)]
    await _waiting(background, 20 - AT_ONCE)
    assert len(order) == AT_ONCE
    end.set()
    await asyncio.gather(*tasks)


async def test_those_that_wait_in_a_gap_between_requests_let_the_next_request_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 60.0)
    foreground, order, first, end = Foreground(), list[str](), asyncio.Event(), asyncio.Event()
    background = Background(foreground)
    tasks = [asyncio.create_task(passing(background, order, str(number), 5, first)) for number in range(AT_ONCE)]
    await _soon(order, AT_ONCE)
    tasks += [asyncio.create_task(passing(background, order, "late", 5, end)) for _ in range(20)]
    await _waiting(background, 20)
    foreground.begin()
    first.set()
    await _waiting(background, 19)
    assert order.count("late") == 1, "one at a time, as beside any request"
    end.set()
    await asyncio.gather(*tasks)


async def test_beside_requests_they_come_one_at_a_time_the_most_urgent_first(
    busy: Foreground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 60.0)
    background, order, ends = Background(busy), list[str](), {name: asyncio.Event() for name in ("a", "b", "c")}
    tasks = [asyncio.create_task(passing(background, order, "a", 5, ends["a"]))]
    await _soon(order, 1)
    for name, priority in (("c", 9), ("b", 1)):
        tasks.append(asyncio.create_task(passing(background, order, name, priority, ends[name])))
    await _waiting(background, 2)
    for count, name in enumerate("abc", 1):
        assert order == list("abc")[:count]
        ends[name].set()
        await _soon(order, min(count + 1, 3))
    await asyncio.gather(*tasks)


async def test_one_that_takes_long_holds_nobody_up(busy: Foreground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_S", 0.01)
    background, order, end = Background(busy), list[str](), asyncio.Event()
    tasks = [asyncio.create_task(passing(background, order, str(number), 5, end)) for number in range(5)]
    await _soon(order, 5)
    end.set()
    await asyncio.gather(*tasks)
    async with asyncio.timeout(10), background.turn(5):  # nothing was given back twice or kept
        pass
