"""Carries flows through their tables: forward step by step, backward when one is refused.

A stride of steps (``stages``) is one step of the workflow engine, recorded together with the flow's
state (``checkpoint``). After a crash the engine plays back the recorded verdicts and runs the steps
under way again, under the same keys. The way back is one such step too: everything that may
have been begun is undone in reverse order, in whatever state the crash left it.

A flow that rests, for a time or for people, ends its leg; whoever wakes it queues the next one.

When a system is away the step is asked again with backoff for as long as it takes; when the
database is away the engine waits for it. Whatever fails in a flow itself, it is undone before the
pivot and given to people after it. What the engine fails in itself ends the leg there in an error, and
the flow is begun again (``watchdog``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial, reduce
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, StepOptions
from dbos import error as engine_errors
from msgspec.structs import replace

from governance.call import Clock, Foreground
from process_apis.flow.asking import DONE, Asking
from process_apis.flow.background import Background
from process_apis.flow.checkpoint import CheckpointLost, Checkpoints
from process_apis.flow.leg import Leg, Superseded, gate
from process_apis.flow.moving import move_on
from process_apis.flow.rest import Rest
from process_apis.flow.resting import Enqueue, taken
from process_apis.flow.retrying import in_database
from process_apis.flow.settings import FlowSettings
from process_apis.flow.signals import amendments
from process_apis.flow.slots import Slots
from process_apis.flow.stages import do_stages, stride, taken_ahead
from process_apis.flow.table import Flow, Refused, Step
from process_apis.flow.timeline import microseconds
from process_apis.flow.trouble import AMEND_STEP, UNDO
from process_apis.flow.turns import pass_turn
from process_apis.flow.verdict import FAULT, FlowStart, Verdict, ended_as, stuck_by_fault

unexpected = logging.getLogger("tiergate.unexpected")
STRANDED = 999
"""The place of what is noted of a checkpoint that can't be written: after every step of its leg."""
RECORDED_AT_ONCE = {"sqlite": 4, "postgresql": 16}  # more wait for each other in the database, where none is urgent


class Worker:
    """Runs the flows of one process."""

    def __init__(
        self,
        engine: sa.Engine,
        clock: Clock,
        settings: FlowSettings,
        enqueue: Enqueue,
        changed: Callable[[str], None],
        foreground: Foreground,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._checkpoints = Checkpoints(engine)
        self._asking = Asking(engine, clock, settings)
        self._background = Background(foreground)
        self._recording = Slots(RECORDED_AT_ONCE[engine.dialect.name])
        self._enqueue = enqueue
        self._changed = changed
        self._tasks: dict[asyncio.Task[Any], str] = {}
        self._legs: dict[str, Leg] = {}

    def wake(self, flow_id: str) -> None:
        """Let a sleeping flow look at what changed."""
        if leg := self._legs.get(flow_id):
            leg.wake.set()

    @property
    def carrying(self) -> set[str]:
        """The legs that are in hand here."""
        return set(self._tasks.values())

    async def stop(self, grace_s: float) -> None:
        """Let calls under way finish for up to ``grace_s``, begin no new one, and let go of the flows."""
        await self._asking.stop(grace_s)
        await asyncio.gather(*map(let_go, tuple(self._tasks)))
        await self._asking.acquit()
        self._checkpoints.close()

    async def carry_on(self, flow: Flow[Any], performer: object, start: FlowStart) -> str:
        """One leg of a flow, as a workflow of the engine; returns how it ended."""
        if task := asyncio.current_task():
            self._tasks[task] = start.workflow_id
            task.add_done_callback(self._tasks.pop)
        try:
            async with self._background.turn(start.priority), self._recording.one(start.priority):
                leg = await in_database(partial(self._load, flow, performer, start))
        except Superseded:
            return "superseded"
        self._legs[start.flow_id] = leg
        try:
            if leg.crashes and await in_database(
                partial(self._transacted, partial(move_on, leg=leg, enqueue=self._enqueue))
            ):
                return "moved"
            return await self._carried(leg)
        except Superseded:
            return "superseded"
        except (engine_errors.DBOSException, CheckpointLost):
            raise
        except Exception as error:  # noqa: BLE001 - a checkpoint that can't be written must not lose the flow
            unexpected.error("%s: the flow failed", start.flow_id, exc_info=error)
            await in_database(partial(self._strand, leg))
            return "stranded"
        finally:
            leg.let_go()
            if self._legs.get(start.flow_id) is leg:
                del self._legs[start.flow_id]

    def _load(self, flow: Flow[Any], performer: object, start: FlowStart) -> Leg:
        with self._engine.connect() as connection:
            return Leg.load(connection, flow, performer, start, self._clock)

    async def _carried(self, leg: Leg) -> str:
        last, start = leg.flow.last, leg.start
        if start.back is not None and last is not None and start.first_step == last.name:
            return await self._told(leg, last, start.back)
        index = leg.first_group
        if index is None:
            await self._checkpointed(leg, "lost", partial(self._lost, leg))
            return "stuck"
        return await (self._forward(leg, index) if start.back is None else self._backward(leg, index, start.back))

    async def _forward(self, leg: Leg, first: int) -> str:
        index: int | None = first
        while index is not None:
            leg.index = index
            verdict = await self._checkpointed(leg, leg.names(index)[-1], partial(self._group, leg, index))
            if verdict.outcome in ("parked", "stuck"):
                return verdict.outcome
            if verdict.outcome != "done":
                return await self._backward(leg, index, verdict)
            index = leg.next_group(leg.reached(index, verdict))
        return "completed"

    async def _backward(self, leg: Leg, index: int, why: Verdict) -> str:
        leg.index, leg.back = index, why
        verdict = await self._checkpointed(leg, "undo", partial(self._undo, leg, index, why))
        if verdict.outcome != "done":
            return verdict.outcome
        last = leg.flow.last
        if why.outcome == "amended" or last is None or not leg.applying((last,)):
            return ended_as(why)
        return await self._told(leg, last, why)

    async def _told(self, leg: Leg, last: Step[Any], why: Verdict) -> str:
        verdict = await self._checkpointed(leg, last.name, partial(self._tell, leg, last, why))
        return verdict.outcome if verdict.outcome == "parked" else ended_as(why)

    async def _checkpointed(self, leg: Leg, name: str, work: Callable[[int], Awaitable[Verdict]]) -> Verdict:
        done: list[int] = []

        async def step() -> Verdict:
            if (step_id := DBOS.step_id) is None:
                raise CheckpointLost("the workflow engine gave a step no number")
            await self._asking.begin_trial(leg)
            verdict = await work(step_id)
            await self._recording.take(leg.priority)
            done.append(step_id)
            return verdict

        try:
            async with self._background.turn(leg.priority):
                verdict = await DBOS.run_step_async(StepOptions(name=name), step)
        except Exception:
            for step_id in done:
                self._checkpoints.forget(leg.start.workflow_id, step_id)
            raise
        finally:
            for _ in done:
                self._recording.give_back()
            self._asking.leave_trial(leg)
        if not done:  # the engine played the verdict back
            leg.resumed_at = leg.reached(leg.index, verdict) + 1
        for step_id in done:
            if (late := self._checkpoints.settle(leg.start.workflow_id, step_id)) is not None:
                unexpected.error("%s: step %s was recorded without its change", leg.start.workflow_id, name)
                await in_database(partial(self._transacted, late))
            leg.crashes = leg.trials = 0
            self._changed(leg.run.flow_id)
        return verdict

    async def _group(self, leg: Leg, index: int, step_id: int) -> Verdict:
        verdict = await taken_ahead(leg, index) or await self._done(leg, index)
        if verdict.outcome == "done" and (last := await stride(self._asking, leg, index, self._clock)) != index:
            index, verdict = last, Verdict(outcome="done", reached=leg.names(last)[-1])
        if verdict.outcome in ("parked", "stuck"):
            leg.events = []  # its steps are done again, and tell of it then
            self._rest(leg, step_id, leg.following(index, verdict), verdict, before_return=index <= leg.pivot_group)
        elif verdict.outcome != "done":
            leg.mark(None, "undo")
            self._keep(leg, step_id, went_on=False)
        elif (following := leg.next_group(index)) is None:
            self._complete(leg, step_id)
        else:
            leg.mark(None, leg.names(following)[0])
            self._keep(leg, step_id, **(gate() if following == leg.pivot_group else {}))
        return verdict

    async def _done(self, leg: Leg, index: int) -> Verdict:
        before = leg.run.state
        try:
            return await do_stages(self._asking, leg, index)
        except Exception as error:  # noqa: BLE001 - a fault in the table itself is settled like one in a step
            unexpected.error("%s: the table of %s failed", leg.run.flow_id, leg.flow.name, exc_info=error)
            leg.run.state, leg.events = before, []
            return FAULT if index <= leg.pivot_group else stuck_by_fault(leg.names(index)[-1])

    async def _undo(self, leg: Leg, index: int, why: Verdict, step_id: int) -> Verdict:
        for step in leg.begun(index):
            if step.undo is None or UNDO + step.name in leg.start.skip:
                continue
            undone = await self._asking.undo(leg, index, step)
            if undone.outcome != "done":
                self._rest(leg, step_id, replace(leg.following(index, undone), back=why), undone, before_return=False)
                return undone
        if why.outcome == "amended":
            return await self._amend(leg, index, why, step_id)
        status = ended_as(why)
        reason = Refused(why.problem, why.reason or leg.run.cancel_reason)
        leg.mark(status, status)
        leg.run.state = leg.flow.book.explain(leg.run.state, reason)
        leg.run.note(status, leg.flow.name, status, reason.reason)
        telling = leg.flow.last is not None and bool(leg.applying((leg.flow.last,)))
        self._end(leg, step_id, status, telling=telling)
        return DONE

    async def _amend(self, leg: Leg, index: int, why: Verdict, step_id: int) -> Verdict:
        amend, done = leg.flow.amend, leg.amended

        async def follow() -> None:
            nonlocal done
            wishes = await asyncio.to_thread(self._wishes, leg)
            state, done = leg.run.state, leg.amended + len(wishes)
            if amend is not None and AMEND_STEP not in leg.start.skip:
                state = reduce(amend, wishes, state)
            leg.run.state = state

        verdict = await self._asking.amend(leg, index, follow)
        if verdict.outcome != "done":
            self._rest(leg, step_id, replace(leg.following(index, verdict), back=why), verdict, before_return=False)
            return verdict
        first = leg.rows[0].name
        leg.mark(leg.flow.status, first)
        leg.run.note(AMEND_STEP, leg.flow.name, "amended")
        start = FlowStart(flow_id=leg.run.flow_id, first_step=first, leg=leg.start.leg + 1)
        kept, revision = leg.collect(step_id, went_on=True), leg.run.revision + 1

        def write(connection: sa.Connection) -> None:
            leg.keep(connection, kept, leg=start.leg, revision=revision, amended=done, committed=False, wary=False)
            self._enqueue(connection, leg.flow.name, start, leg.priority)

        self._checkpoints.expect(leg.start.workflow_id, step_id, write)
        return DONE

    async def _tell(self, leg: Leg, last: Step[Any], why: Verdict, step_id: int) -> Verdict:
        verdict = await self._asking.tell(leg, last)
        if verdict.outcome == "parked":
            again = FlowStart(
                flow_id=leg.run.flow_id,
                first_step=last.name,
                leg=leg.start.leg + 1,
                parks=leg.start.parks + 1,
                back=why,
            )
            self._rest(leg, step_id, again, verdict, before_return=False)
            return verdict
        self._keep(leg, step_id, ended_us=microseconds(self._clock.now()))
        return DONE

    async def _lost(self, leg: Leg, step_id: int) -> Verdict:
        verdict = stuck_by_fault(leg.start.first_step)
        self._rest(leg, step_id, replace(leg.start, leg=leg.start.leg + 1), verdict, before_return=not leg.committed)
        return verdict

    def _complete(self, leg: Leg, step_id: int) -> None:
        leg.mark(None, "completed")
        leg.run.note("completed", leg.flow.name, "completed")
        self._end(leg, step_id, "completed", telling=False)

    def _end(self, leg: Leg, step_id: int, outcome: str, *, telling: bool) -> None:
        if leg.flow.publishes is not None and outcome not in leg.start.told:
            leg.events += leg.flow.publishes(leg.run.state)
        at = None if telling else microseconds(self._clock.now())
        changes = {} if outcome == "completed" else {"committed": False}  # nothing of it stands any more
        self._keep(leg, step_id, ended=True, outcome=outcome, ended_us=at, **changes)

    def _keep(self, leg: Leg, step_id: int, *, went_on: bool = True, **changes: Any) -> None:
        kept = leg.collect(step_id, went_on=went_on)

        def write(connection: sa.Connection) -> None:
            leg.keep(connection, kept, **changes)
            if leg.turn and (leg.committed or "ended" in changes):
                pass_turn(connection, leg.turn, self._enqueue)

        self._checkpoints.expect(leg.start.workflow_id, step_id, write)

    def _rest(self, leg: Leg, step_id: int, start: FlowStart, verdict: Verdict, *, before_return: bool) -> None:
        rest = Rest.of(leg, start, verdict, before_return=before_return)
        kept = leg.collect(step_id, went_on=False)
        self._checkpoints.expect(
            leg.start.workflow_id, step_id, lambda connection: rest.write(connection, leg, kept, self._enqueue)
        )

    def _transacted(self, work: Callable[[sa.Connection], Any]) -> Any:
        with self._engine.begin() as connection:
            return work(connection)

    def _wishes(self, leg: Leg) -> list[bytes]:
        with self._engine.connect() as connection:
            return amendments(connection, leg.run.flow_id, leg.amended)

    def _strand(self, leg: Leg) -> None:
        """Lead a flow whose checkpoint can't be written away from it: back, or to people."""
        with self._engine.begin() as connection:
            row = taken(connection, leg.run.flow_id)
            if row is None or row.leg != leg.start.leg:
                return
            leg.run.notes, leg.to_tell, leg.events = [], [], []
            leg.run.state = leg.flow.book.load(connection, leg.run.flow_id)
            leg.observe(row)
            before_return = leg.index <= leg.pivot_group and leg.back is None
            verdict = FAULT if before_return else stuck_by_fault(leg.names(leg.index)[-1])
            start = replace(leg.following(leg.index, verdict), back=verdict if before_return else leg.back)
            rest = Rest.of(leg, start, verdict, before_return=before_return)
            rest.write(connection, leg, leg.collect(STRANDED, went_on=False), self._enqueue)


async def let_go(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, also on another loop: the engine's own, while this one did not turn."""
    loop = task.get_loop()
    if loop is asyncio.get_running_loop():
        task.cancel()
        await asyncio.wait({task})
    else:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(let_go(task), loop))
