"""Orders that an older build began are finished by this one: another table of steps, under the same keys."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from order_world import World, run
from test_kills import ROOT, SERVER, discrepancies, ended, lines

from process_apis.flow.tables import timeline

FLOW = "process_apis/order_to_fulfillment/flow.py"
CHECKS = "process_apis/order_to_fulfillment/steps/checks.py"
OUTCOMES = sa.select(sa.column("workflow_uuid", sa.Text), sa.column("output", sa.Text)).select_from(
    sa.table("workflow_output")
)
OLD_STEPS = '''

    async def screen(self, run: OrderRun) -> OrderRecord:
        """A step that was taken out since."""
        return run.state

    async def hold(self, run: OrderRun) -> OrderRecord:
        """Another one; whoever is in it is not going on in this build."""
        print("held", run.flow_id, flush=True)
        await asyncio.Event().wait()
        return run.state
'''


def older(folder: Path) -> Path:
    """A tree whose orders are screened and held before they are released, and never invoiced."""
    shutil.copytree(ROOT / "process_apis", folder / "process_apis", ignore=shutil.ignore_patterns("__pycache__"))
    table = (folder / FLOW).read_text()
    for step, before in (("screen", 'name="reserve_stock"'), ("hold", 'name="ship"')):
        at = table.rindex("Step(", 0, table.index(before))
        table = f'{table[:at]}Step(name="{step}", do=Do.{step}),\n        {table[at:]}'
    posting = 'name="post_order", '
    table = table.replace(posting, f'{posting}listens=("never",), ')  # so that it has a checkpoint before what follows
    start, end = table.rindex("Step(", 0, table.index('name="invoice"')), table.index('Step(name="capture"')
    (folder / FLOW).write_text(table[:start] + table[end:])
    head, future, rest = (folder / CHECKS).read_text().partition("from __future__ import annotations\n")
    (folder / CHECKS).write_text(f"{head}{future}\nimport asyncio\n{rest.rstrip()}{OLD_STEPS}")
    return folder


@contextmanager
def built(tree: Path, home: Path, count: int) -> Generator[subprocess.Popen[str]]:
    """A process of this tree that places orders and runs them."""
    path = os.pathsep.join([str(tree), str(ROOT), str(SERVER.parent)])
    command = [sys.executable, str(SERVER), str(home), "old", str(count), ""]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path})
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_orders_that_an_older_build_began_are_finished_by_this_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with built(older(tmp_path / "older"), home, 2) as process:
        said = lines(process, 5)
        process.send_signal(signal.SIGKILL)
    order_ids = sorted(line for line in said if line.startswith("ord-"))
    assert sorted(line.removeprefix("held ") for line in said if line.startswith("held")) == order_ids

    async def scenario() -> None:
        async with World(home, dispatch_s=0) as world:
            orders = await ended(world, order_ids, within_s=20)
            assert [order.status for order in orders] == ["completed", "completed"]
            assert all(len(order.invoice_ids) == 1 for order in orders), "the older build had no such step"
            assert await discrepancies(world, orders) == []
            rows = await world.flows.read(lambda connection: connection.execute(OUTCOMES).all())
            first_legs = [row.output for row in rows if row.workflow_uuid in order_ids]
            assert len(first_legs) == 2 and all('"moved"' in one for one in first_legs), (
                "its records do not fit this table"
            )
            steps = sa.select(timeline.c.step, timeline.c.flow_id).where(timeline.c.outcome == "done")
            done = await world.flows.read(lambda connection: connection.execute(steps).all())
            for order_id in order_ids:
                assert [row.step for row in done if row.flow_id == order_id].count("post_order") == 1

    run(scenario())
