"""A worker lets go of its flows at a stop, whichever loop they run on."""

from __future__ import annotations

import asyncio
import threading

from process_apis.flow.worker import let_go


async def endless() -> None:
    await asyncio.Event().wait()


def test_a_task_of_this_loop_ends() -> None:
    async def scenario() -> bool:
        task = asyncio.create_task(endless())
        await let_go(task)
        return task.cancelled()

    assert asyncio.run(scenario())


def test_a_task_of_the_engines_own_loop_ends_too() -> None:
    elsewhere = asyncio.new_event_loop()
    thread = threading.Thread(target=elsewhere.run_forever)
    thread.start()
    try:
        begun = asyncio.run_coroutine_threadsafe(_begun(), elsewhere).result(30)
        asyncio.run(let_go(begun))
        assert begun.cancelled()
    finally:
        elsewhere.call_soon_threadsafe(elsewhere.stop)
        thread.join(30)
        elsewhere.close()


async def _begun() -> asyncio.Task[None]:
    return asyncio.create_task(endless())
