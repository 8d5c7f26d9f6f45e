"""Does the stages of one group: step after step, those that stand together at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

from process_apis.flow.asking import DONE, Asking
from process_apis.flow.leg import Leg
from process_apis.flow.table import Stage, merged
from process_apis.flow.verdict import Verdict

GRAVEST = ("refused", "cancelled", "amended", "stuck", "parked", "done")
"""Of steps that were done together, which verdict counts."""


async def do_stages(asking: Asking, leg: Leg, index: int) -> Verdict:
    """Do the steps of a group that the flow has, as far as they get.

    Raises:
        ValueError: two steps that were done together changed the same field.
    """
    for stage in leg.groups[index]:
        steps = [step for step in leg.applying(stage) if not leg.skips(step)]
        verdict = await _do_stage(asking, leg, index, tuple(steps))
        if verdict.outcome != "done":
            return verdict
        for step in leg.applying(stage):
            leg.mark(leg.status_by(step.name), step.name)
            leg.held = False
            if step.publishes is not None and step in steps and step.name not in leg.start.told:
                leg.events += step.publishes(leg.run.state)
    return DONE


async def _do_stage(asking: Asking, leg: Leg, index: int, steps: Stage[Any]) -> Verdict:
    if not steps:
        return DONE
    if len(steps) == 1:
        return await asking.step(leg, leg.run, index, steps[0])
    runs = [leg.run.branch() for _ in steps]
    asked = (asking.step(leg, run, index, step) for run, step in zip(runs, steps, strict=True))
    verdicts = await asyncio.gather(*asked)
    done = [verdict.outcome == "done" for verdict in verdicts]
    leg.run.notes += [note for run in runs for note in run.notes]
    results = [(step.name, run.state) for step, run, good in zip(steps, runs, done, strict=True) if good]
    leg.run.state = merged(leg.run.state, results)
    return min(verdicts, key=lambda verdict: GRAVEST.index(verdict.outcome))
