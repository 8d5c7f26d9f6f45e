"""Asks one step for its verdict, as often as it takes.

A call that was begun is never cancelled by the flow: it ends, or it is asked again under its key.
While a flow sleeps between two attempts it holds no slot, and a cancel wakes it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from governance.call import Clock
from governance.contract import Problem
from process_apis.flow.leg import WATCHED, Leg
from process_apis.flow.retrying import HOLD, OUTAGE, OUTAGES, POLL, asked_s, is_final
from process_apis.flow.settings import FlowSettings
from process_apis.flow.table import NotYet, Refused, Step
from process_apis.flow.tables import flows
from process_apis.flow.verdict import Verdict

log = logging.getLogger("tiergate.flow")
unexpected = logging.getLogger("tiergate.unexpected")
LOGGED_ATTEMPTS = (3, 10, 100)

DONE = Verdict(outcome="done")
CANCELLED = Verdict(outcome="cancelled")
PARKED = Verdict(outcome="parked")


class Asking:
    """The slots in which steps are done, and the patience between two attempts."""

    def __init__(self, engine: sa.Engine, clock: Clock, settings: FlowSettings, changed: Callable[[str], None]) -> None:
        self._engine = engine
        self._clock = clock
        self._slots = asyncio.Semaphore(settings.slots)
        self._patience_s = settings.patience_s
        self._changed = changed
        self._open = asyncio.Event()
        self._open.set()
        self._busy = 0

    async def stop(self, grace_s: float) -> None:
        """Begin no new attempt, and give those under way up to ``grace_s`` to end."""
        self._open.clear()
        deadline = self._clock.monotonic() + grace_s
        while self._busy and self._clock.monotonic() < deadline:  # noqa: ASYNC110 - once, at a stop
            await asyncio.sleep(0.02)

    async def settle(self, leg: Leg, index: int, step: Step[Any]) -> Verdict:
        """The verdict on ``step`` of the group ``index``; the run's state is the new one when it is done."""
        began = self._clock.monotonic()
        before_return = index <= leg.pivot_group
        outages = waits = 0
        while True:
            try:
                if before_return and await self._cancelled(leg, index, again=outages + waits > 0):
                    return CANCELLED
                leg.run.state = await self._attempt(leg, step.name, step.do)
                return DONE
            except NotYet:
                delay_s = POLL.delay_s(waits)
                waits += 1
            except Exception as error:  # noqa: BLE001 - whatever a step meets is sorted into refusals and outages
                if not is_final(error, outages):
                    self._log(leg, step.name, error, outages)
                    delay_s = max(OUTAGE.delay_s(outages), asked_s(error))
                    outages += 1
                elif before_return:
                    why = _why(error)
                    return Verdict(outcome="refused", problem=why.problem, reason=why.reason)
                else:
                    await self._hold(leg, step.name, _why(error))
                    delay_s = HOLD.delay_s(waits)
                    waits += 1
            if waits and not before_return and self._clock.monotonic() - began > self._patience_s:
                return PARKED
            await self._sleep(leg, delay_s)

    async def undo(self, leg: Leg, name: str, undo: Callable[[Any, Any], Awaitable[bool]]) -> None:
        """Undo a step. One that can't be undone holds the flow until somebody has settled it in that system."""
        attempts = 0
        place = f"undo:{name}"
        while True:
            try:
                was_there = await self._attempt(leg, place, undo)
            except Exception as error:  # noqa: BLE001 - an undo goes on whatever it meets
                self._log(leg, place, error, attempts)
                final = is_final(error, attempts)
                if final:
                    await self._hold(leg, place, _why(error))
                await self._sleep(leg, max((HOLD if final else OUTAGE).delay_s(attempts), asked_s(error)))
                attempts += 1
            else:
                _name_outcome(leg, place, "undone" if was_there else "nothing_to_undo")
                return

    async def tell(self, leg: Leg, last: Step[Any]) -> None:
        """Do the step after the way back; who does not want to hear of it is not asked again."""
        attempts = 0
        while True:
            try:
                leg.run.state = await self._attempt(leg, last.name, last.do)
                return
            except Exception as error:  # noqa: BLE001 - what was undone stays so whatever the telling meets
                if is_final(error, attempts):
                    return
                self._log(leg, last.name, error, attempts)
                await self._sleep(leg, max(OUTAGE.delay_s(attempts), asked_s(error)))
                attempts += 1

    async def _attempt(self, leg: Leg, name: str, do: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        await self._open.wait()
        async with self._slots:
            self._busy += 1
            try:
                with leg.run.at(name):
                    return await do(leg.performer, leg.run)
            finally:
                self._busy -= 1

    async def _cancelled(self, leg: Leg, index: int, *, again: bool) -> bool:
        if leg.committed:
            return False
        at_pivot = index == leg.pivot_group
        if again or at_pivot:
            await asyncio.to_thread(self._look, leg, at_pivot)
        return leg.cancel_requested and not leg.committed

    def _look(self, leg: Leg, at_pivot: bool) -> None:
        this = flows.c.flow_id == leg.run.flow_id
        with self._engine.begin() as connection:
            if at_pivot:  # nobody passed the gate in the checkpoint before, because a cancel came first or none was
                passing = sa.update(flows).where(this, sa.not_(flows.c.cancel_requested)).values(committed=True)
                connection.execute(passing)
            leg.observe(connection.execute(sa.select(*WATCHED).where(this)).one())

    async def _hold(self, leg: Leg, stage: str, why: Refused) -> None:
        book, flow_id = leg.flow.book, leg.run.flow_id
        leg.run.state = held = book.explain(book.mark(leg.run.state, "on_hold", stage, self._clock.now()), why)

        def write() -> None:
            with self._engine.begin() as connection:
                book.save(connection, flow_id, held)

        try:
            await asyncio.to_thread(write)
        except SQLAlchemyError as error:  # the status can't be shown now; the flow itself is not touched by it
            log.warning("%s: on hold, but the database is away: %s", flow_id, error)
        self._changed(flow_id)

    async def _sleep(self, leg: Leg, seconds: float) -> None:
        leg.wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await leg.wake.wait()
        except TimeoutError:
            return

    def _log(self, leg: Leg, step: str, error: Exception, attempt: int) -> None:
        if not isinstance(error, OUTAGES):
            unexpected.error("%s: %s failed in the flow itself", leg.run.flow_id, step, exc_info=error)
        elif attempt in LOGGED_ATTEMPTS:
            log.warning("%s: %s is asked again: %s", leg.run.flow_id, step, error)


def _why(error: Exception) -> Refused:
    if isinstance(error, Problem):
        return Refused(error.type, error.detail or error.title)
    return Refused("internal-error", "The flow failed.")


def _name_outcome(leg: Leg, step: str, outcome: str) -> None:
    for note in leg.run.notes:
        if note.step.startswith(step) and note.outcome == "done":
            note.outcome = outcome
