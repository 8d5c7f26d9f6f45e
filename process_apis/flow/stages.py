"""Does the stages of one group: step after step, those that stand together at the same time.

A flow that gets along takes several groups in one stride, under one checkpoint. Every effect carries a
key that follows from the flow and the step, so a stride that a crash cut off is walked again and nothing
is done twice; whoever turns back after a crash undoes whatever the stride may have reached (``Leg.begun``).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from governance.call import Clock
from process_apis.flow.asking import DONE, NOT_NOW, Asking
from process_apis.flow.leg import Ahead, Leg
from process_apis.flow.table import Stage, merged
from process_apis.flow.verdict import Verdict

GRAVEST = ("refused", "cancelled", "amended", "stuck", "parked", "done")
"""Of steps that were done together, which verdict counts."""
LONGEST_STRIDE_S = 0.5
LONG_S = 0.05
"""A stride ends after the first, and when a group takes longer than the second: everybody sees where a flow stands."""


async def stride(asking: Asking, leg: Leg, index: int, clock: Clock) -> int:
    """Do what follows the group ``index`` for as long as each step is done soon and at its first attempt.

    Returns the last group that is done. A checkpoint is written before the flow waits for anything, turns
    back, or passes its pivot, and while a step takes long; what comes of that is for the next checkpoint.
    """
    began = clock.monotonic()
    while (following := leg.strides_on(index)) is not None and clock.monotonic() - began < LONGEST_STRIDE_S:
        leg.index = following
        scout = leg.scout()
        leg.ahead = Ahead(following, scout, asyncio.create_task(do_stages(asking, scout, following, once=True)))
        await asyncio.wait({leg.ahead.task}, timeout=LONG_S)
        if not leg.ahead.is_done_well:
            break
        leg.round_off()
        leg.join(scout)
        leg.ahead = None
        index = following
    return index


async def taken_ahead(leg: Leg, index: int) -> Verdict | None:
    """What the stride before came to in this group, the flow being as that left it; None: it is to be asked anew."""
    ahead = leg.ahead
    if ahead is None or ahead.index != index:
        return None
    verdict = NOT_NOW
    with suppress(ValueError):  # a fault of the table itself, which is settled where the group stands alone
        verdict = await ahead.task
    leg.ahead = None
    if verdict is NOT_NOW:
        leg.run.notes += ahead.scout.run.notes
        return None
    leg.join(ahead.scout)
    return verdict


async def do_stages(asking: Asking, leg: Leg, index: int, *, once: bool = False) -> Verdict:
    """Do the steps of a group that the flow has, as far as they get; with ``once`` no step is asked again.

    Raises:
        ValueError: two steps that were done together changed the same field.
    """
    for stage in leg.groups[index]:
        steps = [step for step in leg.applying(stage) if not leg.skips(step)]
        verdict = await _do_stage(asking, leg, index, tuple(steps), once)
        if verdict.outcome != "done":
            return verdict
        for step in leg.applying(stage):
            leg.mark(leg.status_by(step.name), step.name)
            leg.held = False
            if step.publishes is not None and step in steps and step.name not in leg.start.told:
                leg.events += step.publishes(leg.run.state)
    return DONE


async def _do_stage(asking: Asking, leg: Leg, index: int, steps: Stage[Any], once: bool) -> Verdict:
    if not steps:
        return DONE
    if len(steps) == 1:
        return await asking.step(leg, leg.run, index, steps[0], once=once)
    runs = [leg.run.branch() for _ in steps]
    asked = (asking.step(leg, run, index, step, once=once) for run, step in zip(runs, steps, strict=True))
    verdicts = await asyncio.gather(*asked)
    done = [verdict.outcome == "done" for verdict in verdicts]
    leg.run.notes += [note for run in runs for note in run.notes]
    results = [(step.name, run.state) for step, run, good in zip(steps, runs, done, strict=True) if good]
    leg.run.state = merged(leg.run.state, results)
    return min(verdicts, key=lambda verdict: GRAVEST.index(verdict.outcome))
