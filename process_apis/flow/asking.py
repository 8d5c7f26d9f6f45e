"""Asks one step for its verdict, as often as it takes.

A call that was begun is never cancelled by the flow: it ends, or it is asked again under its key.
While a flow sleeps between two attempts it holds no slot, and a cancel wakes it.

A flow that was under way when its process died, more than once without a step done between, is a
suspect: such flows go on one at a time, each from one checkpoint to the next or to its next pause, and
marked in the database meanwhile. So the flow that kills its process is found, and given to people, and
nobody else is.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import sqlalchemy as sa

from governance.call import Clock
from governance.contract import Refusal
from process_apis.flow.leg import WATCHED, Leg, gate
from process_apis.flow.patience import Patience, Place
from process_apis.flow.retrying import OUTAGES, in_database
from process_apis.flow.run import Run
from process_apis.flow.settings import FlowSettings
from process_apis.flow.signals import heard
from process_apis.flow.slots import Slots
from process_apis.flow.table import STEP_TIMEOUT_S, NotYet, Refused, Retry, Step
from process_apis.flow.tables import flows
from process_apis.flow.trouble import AMEND_STEP, UNDO
from process_apis.flow.verdict import Verdict

log = logging.getLogger("tiergate.flow")
unexpected = logging.getLogger("tiergate.unexpected")
LOGGED_ATTEMPTS = (3, 10, 100)

DONE = Verdict(outcome="done")
CANCELLED = Verdict(outcome="cancelled")
AMENDED = Verdict(outcome="amended")
NOT_NOW = Verdict(outcome="parked")
"""A step that was to be asked once would be asked again a little later."""
UNDO_RETRY = Retry()
FOR_EVER = Retry(outage_s=math.inf)
POISON = Refused("internal-error", "The process died in this step again and again.")
Do = Callable[[], Awaitable[None]]
Turn = Callable[[], Awaitable[Verdict | None]]


class Asking:
    """The slots in which steps are done, and the patience between two attempts."""

    def __init__(self, engine: sa.Engine, clock: Clock, settings: FlowSettings) -> None:
        self._engine = engine
        self._clock = clock
        self._slots = Slots(settings.slots)
        self._settings = settings
        self._open = asyncio.Event()
        self._open.set()
        self._alone = asyncio.Lock()
        self._on_trial: Leg | None = None
        self._busy = 0

    async def stop(self, grace_s: float) -> None:
        """Begin no new attempt, and give those under way up to ``grace_s`` to end."""
        self._open.clear()
        deadline = self._clock.monotonic() + grace_s
        while self._busy and self._clock.monotonic() < deadline:  # noqa: ASYNC110 - once, at a stop
            await asyncio.sleep(0.02)

    async def step(self, leg: Leg, run: Run[Any], index: int, step: Step[Any], *, once: bool = False) -> Verdict:
        """The verdict on ``step`` of the group ``index``; the run's state is the new one when it is done."""
        before_return = index <= leg.pivot_group
        place = Place(name=step.name, retry=step.retry, before_return=before_return, listens=step.listens)
        patience = self._patience(leg, index, place)
        unknown = leg.crashes > 0 or step.name in leg.tried

        async def do() -> None:
            nonlocal unknown
            state = await step.retry.look_up(leg.performer, run) if unknown and step.retry.look_up else None
            unknown = True
            leg.tried.add(step.name)
            run.state = await step.do(leg.performer, run) if state is None else state

        async def turn() -> Verdict | None:
            return await self._turned(leg, index, again=patience.asked_before) if before_return else None

        verdict = await self._ask(leg, run, place, patience, do, step.timeout_s, turn, once=once)
        if not leg.contradicted(index, verdict):
            return verdict
        run.note(step.name, leg.flow.name, "begun_anew", "It stands with what was read before a crash.")
        return AMENDED

    async def undo(self, leg: Leg, index: int, step: Step[Any]) -> Verdict:
        """Undo a step. One that can't be undone is for people to settle in that system."""
        place = Place(name=f"{UNDO}{step.name}", retry=UNDO_RETRY)
        patience = self._patience(leg, index, place)
        undo, was_there = step.undo, False

        async def do() -> None:
            nonlocal was_there
            was_there = undo is not None and await undo(leg.performer, leg.run)

        verdict = await self._ask(leg, leg.run, place, patience, do, step.timeout_s)
        if verdict.outcome == "done":
            name_outcome(leg.run, place.name, "undone" if was_there else "nothing_to_undo")
        return verdict

    async def amend(self, leg: Leg, index: int, amend: Do) -> Verdict:
        """Follow the wishes to amend; one that can't be followed is for people to see to."""
        place = Place(name=AMEND_STEP, retry=UNDO_RETRY)
        return await self._ask(leg, leg.run, place, self._patience(leg, index, place), amend, STEP_TIMEOUT_S)

    async def tell(self, leg: Leg, last: Step[Any]) -> Verdict:
        """Do the step after the way back; who does not want to hear of it is not asked again."""
        place = Place(name=last.name, retry=FOR_EVER, before_return=True)
        patience = Patience(place, leg.start, self._settings, self._clock, told=False)

        async def do() -> None:
            leg.run.state = await last.do(leg.performer, leg.run)

        return await self._ask(leg, leg.run, place, patience, do, last.timeout_s)

    def _patience(self, leg: Leg, index: int, place: Place) -> Patience:
        first = index == leg.first_group
        start = leg.start if first else leg.fresh_start
        return Patience(place, start, self._settings, self._clock, told=first and bool(leg.exception_id))

    async def _ask(
        self,
        leg: Leg,
        run: Run[Any],
        place: Place,
        patience: Patience,
        do: Do,
        timeout_s: float,
        turn: Turn | None = None,
        *,
        once: bool = False,
    ) -> Verdict:
        while True:
            if leg.suspect and leg.trials - leg.on_trial >= self._settings.trials:
                return patience.stuck("poison", POISON, asks_again=False)
            try:
                if turn is not None and (turned := await turn()):
                    return turned
                await self._attempt(leg, run, place, do, timeout_s)
            except Exception as error:  # noqa: BLE001 - whatever a step meets is sorted into refusals and outages
                self._log(leg, place.name, error, patience.attempts)
                follows = patience.after(error)
            else:
                return DONE
            if isinstance(follows, Verdict):
                return follows
            if once:
                return NOT_NOW
            await self.pause_trial(leg)
            await self._sleep(leg, follows)
            await self.begin_trial(leg)

    async def _attempt(self, leg: Leg, run: Run[Any], place: Place, do: Do, timeout_s: float) -> None:
        await self._open.wait()
        if place.listens:
            run.listens = place.listens
            run.signals, leg.heard[place.listens] = await asyncio.to_thread(self._hear, leg, place.listens)
        async with self._slots.one(leg.priority):
            self._busy += 1
            run.timeout_s = timeout_s
            try:
                with run.at(place.name):
                    await do()
            finally:
                self._busy -= 1
                run.timeout_s = STEP_TIMEOUT_S

    async def begin_trial(self, leg: Leg) -> None:
        """Have a suspect go on alone, and marked, up to its next checkpoint or its next pause."""
        async with leg.judging:
            if leg.on_trial or not leg.suspect or leg.trials >= self._settings.trials:
                return
            await self._alone.acquire()
            try:
                await in_database(partial(self._mark, leg, leg.trials + 1))
            except BaseException:
                self._alone.release()
                raise
            leg.on_trial = True
            self._on_trial = leg

    async def pause_trial(self, leg: Leg) -> None:
        """It survived so far, and somebody else may go on while it pauses."""
        async with leg.judging:
            if leg.on_trial:
                await in_database(partial(self._mark, leg, 0))
                self.leave_trial(leg)

    def leave_trial(self, leg: Leg) -> None:
        """Let the next suspect go on; a checkpoint that was written took the mark with it."""
        if leg.on_trial:
            leg.on_trial = False
            self._alone.release()

    async def acquit(self) -> None:
        """At a stop in order, once all flows are let go: nobody died of the one on trial."""
        if self._on_trial is not None and self._on_trial.trials:
            with suppress(*OUTAGES):
                await asyncio.to_thread(self._mark, self._on_trial, 0)

    def _mark(self, leg: Leg, trials: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(flows).where(flows.c.flow_id == leg.run.flow_id).values(trials=trials))
        leg.trials = trials

    def _hear(self, leg: Leg, names: tuple[str, ...]) -> tuple[dict[str, bytes], int]:
        with self._engine.connect() as connection:
            return heard(connection, leg.run.flow_id, names)

    async def _turned(self, leg: Leg, index: int, *, again: bool) -> Verdict | None:
        if leg.committed:
            return None
        at_pivot = index == leg.pivot_group
        if again or at_pivot:
            await asyncio.to_thread(self._look, leg, at_pivot)
        if leg.committed:
            return None
        return CANCELLED if leg.cancel_requested else AMENDED if leg.amend_requested else None

    def _look(self, leg: Leg, at_pivot: bool) -> None:
        this = flows.c.flow_id == leg.run.flow_id
        with self._engine.begin() as connection:
            if at_pivot:  # nobody passed the gate in the checkpoint before, because a cancel came first or none was
                connection.execute(sa.update(flows).where(this).values(gate()))
            leg.observe(connection.execute(sa.select(*WATCHED).where(this)).one())

    async def _sleep(self, leg: Leg, seconds: float) -> None:
        leg.wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await leg.wake.wait()
        except TimeoutError:
            return

    def _log(self, leg: Leg, step: str, error: Exception, attempt: int) -> None:
        if isinstance(error, Refusal | NotYet):
            return
        if not isinstance(error, OUTAGES):
            unexpected.error("%s: %s failed in the flow itself", leg.run.flow_id, step, exc_info=error)
        elif attempt in LOGGED_ATTEMPTS:
            log.warning("%s: %s is asked again: %s", leg.run.flow_id, step, error)


def name_outcome(run: Run[Any], step: str, outcome: str) -> None:
    """Say of a step's calls what they came to."""
    for note in run.notes:
        if note.step.startswith(step) and note.outcome == "done":
            note.outcome = outcome
