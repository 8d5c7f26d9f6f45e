"""Urgent flows go before others: in the queue, and at every step."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from flow_story import flow, step, telling

from process_apis.flow.slots import Slots

FLOOD = 60
TABLE = flow(step("reserve"), step("post"), step("ship", pivot=True), step("invoice"))


def test_a_flood_of_low_priority_does_not_hold_up_an_urgent_flow(home: Path) -> None:
    with telling(home, TABLE, slots=1) as story:
        story.given_stop_at("reserve")
        story.when_accepted(*(f"low-{number}" for number in range(FLOOD)), priority=9)
        story.go_on("reserve")
        story.when_accepted("urgent", priority=1)
        story.expect("urgent", stage="completed")
        done = sum(story.row(f"low-{number}").ended for number in range(FLOOD))
        assert done < FLOOD / 2, "most of the flood is still under way when the urgent flow has ended"
        for number in range(FLOOD):
            story.expect(f"low-{number}", stage="completed")


@pytest.mark.anyio
async def test_slots_are_given_by_priority_and_then_in_turn() -> None:
    slots, order = Slots(1), list[str]()

    async def use(name: str, priority: int) -> None:
        async with slots.one(priority):
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for name, priority in (("first", 9), ("a", 5), ("b", 9), ("c", 5), ("urgent", 1)):
            group.create_task(use(name, priority))
    assert order == ["first", "urgent", "a", "c", "b"]


@pytest.mark.anyio
async def test_a_slot_that_came_as_its_waiter_left_goes_to_the_next() -> None:
    slots, held = Slots(1), asyncio.Event()

    async def hold() -> None:
        async with slots.one(5):
            await held.wait()

    async def use() -> str:
        async with slots.one(5):
            return "done"

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    leaver, waiter = asyncio.create_task(use()), asyncio.create_task(use())
    await asyncio.sleep(0)
    held.set()
    await holder
    leaver.cancel()
    assert await waiter == "done"
    await asyncio.gather(leaver, return_exceptions=True)
    assert await use() == "done"
