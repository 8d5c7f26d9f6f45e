"""Carries flows through their tables: forward step by step, backward when one is refused.

Every group of steps with an effect is one step of the workflow engine, recorded together with the
flow's state (``checkpoint``). After a crash the engine plays back the recorded verdicts and runs the
group under way again, under the same keys. The way back is one such step too: everything that may
have been begun is undone in reverse order, in whatever state the crash left it.

When a system is away the step is asked again with backoff for as long as it takes; when the
database is away the engine waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, StepOptions

from governance.call import Clock
from process_apis.flow.asking import Asking
from process_apis.flow.checkpoint import CheckpointLost, Checkpoints
from process_apis.flow.leg import Leg
from process_apis.flow.retrying import Backoff
from process_apis.flow.settings import MOST_PARKED_S, FlowSettings
from process_apis.flow.table import Flow, Refused, Step
from process_apis.flow.verdict import FlowStart, Verdict

DONE = Verdict(outcome="done")
Park = Callable[[sa.Connection, Flow[Any], FlowStart, float], None]


class Worker:
    """Runs the flows of one process."""

    def __init__(
        self, engine: sa.Engine, clock: Clock, settings: FlowSettings, park: Park, changed: Callable[[str], None]
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._checkpoints = Checkpoints(engine)
        self._asking = Asking(engine, clock, settings, changed)
        self._parking = Backoff(first_s=settings.park_s, factor=2, most_s=MOST_PARKED_S)
        self._park = park
        """Enqueues the next leg of a flow after a delay in seconds, in the transaction it is given."""
        self._changed = changed
        self._tasks: set[asyncio.Task[Any]] = set()
        self._legs: dict[str, Leg] = {}

    def wake(self, flow_id: str) -> None:
        """Let a sleeping flow look at what changed."""
        if leg := self._legs.get(flow_id):
            leg.wake.set()

    async def stop(self, grace_s: float) -> None:
        """Let calls under way finish for up to ``grace_s``, begin no new one, and let go of the flows."""
        await self._asking.stop(grace_s)
        await asyncio.gather(*map(let_go, tuple(self._tasks)))
        self._checkpoints.close()

    async def carry_on(self, flow: Flow[Any], performer: object, start: FlowStart) -> str:
        """One leg of a flow, as a workflow of the engine; returns how it ended."""
        if task := asyncio.current_task():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        leg = await asyncio.to_thread(self._load, flow, performer, start)
        self._legs[start.flow_id] = leg
        try:
            return await self._forward(leg)
        finally:
            self._legs.pop(start.flow_id, None)

    def _load(self, flow: Flow[Any], performer: object, start: FlowStart) -> Leg:
        with self._engine.connect() as connection:
            return Leg.load(connection, flow, performer, start, self._clock)

    async def _forward(self, leg: Leg) -> str:
        index: int | None = leg.first_group
        while index is not None:
            verdict = await self._checkpointed(leg, leg.groups[index][-1].name, partial(self._group, leg, index))
            if verdict.outcome == "parked":
                return "parked"
            if verdict.outcome != "done":
                return await self._backward(leg, index, verdict)
            index = leg.next_group(index)
        return "completed"

    async def _backward(self, leg: Leg, index: int, verdict: Verdict) -> str:
        await self._checkpointed(leg, "undo", partial(self._undo, leg, index, verdict))
        last = leg.flow.last
        if last is not None and (last.when is None or last.when(leg.run.state)):
            await self._checkpointed(leg, last.name, partial(self._tell, leg, last))
        return "rejected" if verdict.outcome == "refused" else "cancelled"

    async def _checkpointed(self, leg: Leg, name: str, work: Callable[[int], Awaitable[Verdict]]) -> Verdict:
        done: list[int] = []

        async def step() -> Verdict:
            if (step_id := DBOS.step_id) is None:
                raise CheckpointLost("the workflow engine gave a step no number")
            done.append(step_id)
            return await work(step_id)

        verdict = await DBOS.run_step_async(StepOptions(name=name), step)
        for step_id in done:  # none when the engine played the verdict back
            self._checkpoints.settle(leg.start.workflow_id, step_id)
            self._changed(leg.run.flow_id)
        return verdict

    async def _group(self, leg: Leg, index: int, step_id: int) -> Verdict:
        group = leg.groups[index]
        for step in group:
            if step.when is not None and not step.when(leg.run.state):
                continue
            verdict = await self._asking.settle(leg, index, step)
            if verdict.outcome == "parked":
                self._keep_parked(leg, step_id, group[0].name)
                return verdict
            if verdict.outcome != "done":
                leg.mark(None, "undo")
                self._keep(leg, step_id)
                return verdict
            leg.mark(leg.status_by(step.name), step.name)
        following = leg.next_group(index)
        if following is None:
            leg.mark(None, "completed")
            leg.run.note("completed", leg.flow.name, "completed")
            self._keep(leg, step_id, ended=True)
        else:
            leg.mark(None, leg.groups[following][0].name)
            self._keep(leg, step_id, gate=following == leg.pivot_group)
        return DONE

    async def _undo(self, leg: Leg, index: int, verdict: Verdict, step_id: int) -> Verdict:
        begun = [step for group in leg.groups[: index + 1] for step in group]
        for step in reversed(begun):
            if step.undo is not None and (step.when is None or step.when(leg.run.state)):
                await self._asking.undo(leg, step.name, step.undo)
        if verdict.outcome == "cancelled":
            status, why = "cancelled", Refused("", leg.run.cancel_reason)
        else:
            status, why = "rejected", Refused(verdict.problem, verdict.reason)
        leg.mark(status, status)
        leg.run.state = leg.flow.book.explain(leg.run.state, why)
        leg.run.note(status, leg.flow.name, status, why.reason)
        self._keep(leg, step_id, ended=True)
        return DONE

    async def _tell(self, leg: Leg, last: Step[Any], step_id: int) -> Verdict:
        await self._asking.tell(leg, last)
        self._keep(leg, step_id, ended=True)
        return DONE

    def _keep(self, leg: Leg, step_id: int, *, gate: bool = False, ended: bool = False) -> None:
        rows = leg.take_notes(step_id)
        write = partial(leg.save, rows=rows, state=leg.run.state, gate=gate, ended=ended)
        self._checkpoints.expect(leg.start.workflow_id, step_id, write)

    def _keep_parked(self, leg: Leg, step_id: int, first_step: str) -> None:
        rows, state = leg.take_notes(step_id), leg.run.state
        following = FlowStart(flow_id=leg.run.flow_id, first_step=first_step, leg=leg.start.leg + 1)

        def write(connection: sa.Connection) -> None:
            leg.save(connection, rows=rows, state=state, parked=True)
            self._park(connection, leg.flow, following, self._parking.delay_s(leg.start.leg))

        self._checkpoints.expect(leg.start.workflow_id, step_id, write)


async def let_go(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, also on another loop: the engine's own, while this one did not turn."""
    loop = task.get_loop()
    if loop is asyncio.get_running_loop():
        task.cancel()
        await asyncio.wait({task})
    else:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(let_go(task), loop))
