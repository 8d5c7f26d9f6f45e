"""What runs in the background gives way to requests."""

from __future__ import annotations

import asyncio

import pytest

from governance.call import Foreground

pytestmark = pytest.mark.anyio


async def test_nothing_is_held_back_while_nobody_waits() -> None:
    await asyncio.wait_for(Foreground().give_way(60), 20)


async def test_the_background_goes_on_when_the_last_request_has_ended() -> None:
    foreground = Foreground()
    foreground.begin()
    foreground.begin()
    behind = asyncio.create_task(foreground.give_way(60))
    await asyncio.sleep(0)
    foreground.end()
    await asyncio.sleep(0)
    assert foreground.busy
    assert not behind.done()
    foreground.end()
    await asyncio.wait_for(behind, 20)


async def test_the_background_is_never_stopped() -> None:
    foreground = Foreground()
    foreground.begin()
    await asyncio.wait_for(foreground.give_way(0.01), 20)
    assert foreground.busy


async def test_a_request_that_waits_for_the_background_does_not_hold_it_back() -> None:
    foreground = Foreground()
    foreground.begin()
    with foreground.resting():
        await asyncio.wait_for(foreground.give_way(60), 20)
    assert foreground.busy


async def test_who_waits_without_being_a_request_does_not_hold_the_background_back_either() -> None:
    foreground = Foreground()
    with foreground.resting():
        assert not foreground.busy
        await asyncio.wait_for(foreground.give_way(60), 20)
        foreground.begin()
        assert foreground.busy
        foreground.end()
    assert not foreground.busy


async def test_it_serves_more_than_one_event_loop() -> None:
    """The engine of flows runs what it takes up by itself on a loop of its own."""
    foreground = Foreground()
    foreground.begin()
    here = asyncio.create_task(foreground.give_way(60))
    await asyncio.sleep(0)
    await asyncio.to_thread(lambda: asyncio.run(foreground.give_way(0.01)))
    assert not here.done()
    foreground.end()
    await asyncio.wait_for(here, 20)
