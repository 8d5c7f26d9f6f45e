"""A process of a story that dies in a step: run as a script with the folder and what to do, one word each.

python dying.py HOME accept          accepts a flow that kills its process, and one that waits; then runs them
python dying.py HOME run             runs what is there until the deadly flow rests
python dying.py HOME accept-late     the same with a table whose deadly step is behind the pivot, and the trials
python dying.py HOME run-late        that a gateway gives a step by itself
python dying.py HOME settle          settles every open exception of a table whose last step was refused
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import sqlalchemy as sa
from flow_story import Case, Story, cases, flow, step, telling

from process_apis.flow.run import Run
from process_apis.flow.settings import FlowTuning
from process_apis.flow.table import NotYet
from process_apis.flow.tables import exceptions
from process_apis.flow.trouble import Settlement

DEADLY = 666
BEGUN = "begun"


def deadly(run: Run[Case]) -> Case:
    """Dies for one case, waits for the other."""
    if run.state.quantity == DEADLY:
        os._exit(9)
    raise NotYet


def told(run: Run[Case]) -> Case:
    """Says in a file of its own that it was done."""
    with Path(sys.argv[1], "told").open("a") as told_of:
        told_of.write(f"{run.state.case_id}\n")
    return run.state


POISON = flow(step("reserve"), step("poison", deadly), step("ship", pivot=True))
POISON_LATE = flow(step("reserve"), step("ship", pivot=True), step("poison", deadly, queue="invoices"))
REFUSED = flow(step("ship", pivot=True), step("tell", told))


def run_poison(home: Path, what: str) -> None:
    """Begin or go on with the deadly flow and its innocent companion."""
    late = what.endswith("-late")
    trials = FlowTuning().trials if late else 2
    with telling(home, POISON_LATE if late else POISON, trials=trials) as story:
        if what.startswith("accept"):
            story.when_accepted("innocent")
            story.when_accepted("deadly", quantity=DEADLY)
        story.expect_resting("deadly", "exception")


def settle_all(home: Path) -> None:
    """Settle what is open, one after another, until nothing is; is killed meanwhile."""
    with telling(home, REFUSED, slots=2) as story:
        story.run(_settle(story))
        story.run(story.flows.until("", lambda: _ended(story), bool, 20))


async def _settle(story: Story) -> None:
    query = sa.select(exceptions.c.exception_id).where(exceptions.c.status == "open")
    print(BEGUN, flush=True)
    for exception_id in await story.flows.read(lambda c: c.execute(query).scalars().all()):
        await story.flows.settle(exception_id, Settlement(choice="retry", reason="again", by="jo"))


async def _ended(story: Story) -> bool:
    documents = await story.flows.read(lambda c: c.execute(sa.select(cases.c.document)).scalars().all())
    return all('"stage":"completed"' in document for document in documents)


if __name__ == "__main__":
    if sys.argv[2] == "settle":
        settle_all(Path(sys.argv[1]))
    else:
        run_poison(Path(sys.argv[1]), sys.argv[2])
