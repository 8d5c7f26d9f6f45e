"""Plants every fault, proves every mutant, writes docs/mutants.md; exits with 1 when one survives. ``make mutants``."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.mutants.faults.registry import mutants
from tests.mutants.table import DOCUMENT, rows, written
from tests.mutants.world import representatives, running


async def run() -> int:
    """The exit code."""
    console = Console()
    began_s = time.monotonic()
    found: list[tuple[str, str, str, frozenset[str]]] = []
    with tempfile.TemporaryDirectory(prefix="tiergate-mutants-") as home:
        async with running(Path(home)) as world:
            operations = representatives(world)
            for operation in operations:
                gaps = [str(proof) for proof in await world.prove(None, operation) if not proof.held]
                if gaps:
                    console.print(f"The whole gateway has gaps: {gaps[0]}", style="red")
                    return 1
            every = list(mutants(operations, world.arguments))
            with Progress(console=console) as progress:
                for fault, operation in progress.track(every, description="Mutants"):
                    proofs = await world.prove(fault, operation)
                    seen = frozenset(proof.control for proof in proofs if not proof.held)
                    found.append((fault.group, fault.name, operation.id, seen))
    table = rows(found)
    DOCUMENT.write_text(written(table))
    survived = [(row, operation) for row in table for operation in row.survived]
    for row, operation in survived:
        console.print(f"survived: {row.group}: {row.name} in {operation}", style="red")
    console.print(
        f"{len(found) - len(survived):,} of {len(found):,} planted faults ({len(table)} kinds, {len(operations)} "
        f"operations) were caught in {time.monotonic() - began_s:.0f} s; {DOCUMENT.name} has the table."
    )
    return 1 if survived or len(found) < 100 else 0


if __name__ == "__main__":
    logging.getLogger("tiergate").setLevel(logging.CRITICAL + 1)  # mutants fail in every way, and are told of below
    sys.exit(asyncio.run(run()))
