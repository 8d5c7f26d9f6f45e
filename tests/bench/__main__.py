"""What governance costs: ratios measured in one run, interleaved, medians. Run it by ``make bench``.

The servers share one core, the load has the other together with the store and the upstream, whose
CPU is stated apart or not counted. Single figures depend on the machine; the ratios are the result.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from statistics import median

from cases import Case, Sample, cases, sample
from firms import Firms, firms
from firms import ratios as order_ratios
from msgspec import to_builtins
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from world import running

RESULTS = Path("var/bench.json")
WIDTH = 110


def main() -> None:
    """Measure, print, save."""
    options = _options()
    console = Console(width=max(Console().width, WIDTH))
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:] or os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="tiergate-bench-") as folder, running(Path(folder)) as world:
        every = cases(world)
        rounds = _rounds(every, options, console)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with console.status("orders") as status:
        found = firms(lambda name: status.update(f"orders: {name}"))
    rows = {case.name: _medians(rounds[case.name]) for case in every}
    ratios = {**_ratios(rows), **order_ratios(found)}
    _print(console, rows, ratios, found, options)
    _save(rows, ratios, found, options)
    console.print(f"saved in {RESULTS}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every case (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds a round (2)")
    parser.add_argument("--connections", type=int, default=32, help="connections (32)")
    return parser.parse_args()


def _rounds(every: tuple[Case, ...], options: argparse.Namespace, console: Console) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {case.name: [] for case in every}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=(options.rounds + 1) * len(every))
        for number in range(options.rounds + 1):
            for case in every:
                progress.update(task, description=case.name)
                one = sample(case, connections=options.connections, seconds=options.seconds if number else 0.5)
                if number:  # the first round warms up
                    found[case.name].append(one)
                progress.advance(task)
    return found


def _medians(samples: list[Sample]) -> Sample:
    return Sample(
        requests_per_s=median(one.requests_per_s for one in samples),
        cpu_us=median(one.cpu_us for one in samples),
        store_cpu_us=median(one.store_cpu_us for one in samples),
    )


def _ratios(rows: dict[str, Sample]) -> dict[str, float]:
    def cpu(name: str, *, store: bool = False) -> float:
        return rows[name].cpu_us + (rows[name].store_cpu_us if store else 0)

    together = "GET with upstream, 3 tiers together"
    chained = "GET with upstream, 3 chained Envoys"
    return {
        "CPU of a governed GET / the same ungoverned": cpu("governed GET, 1 tier") / cpu("ungoverned GET"),
        "CPU of a governed POST / the same ungoverned": cpu("governed POST, 1 tier") / cpu("ungoverned POST"),
        "CPU that all policies add to a GET, µs (aim ≤ 20)": cpu("governed GET, 1 tier") - cpu("ungoverned GET"),
        "CPU that all policies add to a POST, µs": cpu("governed POST, 1 tier") - cpu("ungoverned POST"),
        "CPU of 3 tiers together / 1 tier (goal ≤ 1.3)": cpu("governed GET, 3 tiers together")
        / cpu("governed GET, 1 tier"),
        "requests per CPU second, 3 tiers together / in 3 processes (goal ≥ 3)": cpu(
            "governed GET, 3 tiers in 3 processes"
        )
        / cpu("governed GET, 3 tiers together"),
        "CPU of 3 tiers together / 1 tier, POST": cpu("governed POST, 3 tiers together") / cpu("governed POST, 1 tier"),
        "requests per CPU second, 3 tiers / 3 chained Envoys (aim ≥ 2)": cpu(chained) / cpu(together),
        "the same, with the store's CPU": cpu(chained) / cpu(together, store=True),
        "requests per CPU second, 3 tiers / 1 Envoy": cpu("GET with upstream, 1 Envoy") / cpu(together),
    }


def _print(
    console: Console, rows: dict[str, Sample], ratios: dict[str, float], found: Firms, options: argparse.Namespace
) -> None:
    table = Table(title=f"medians of {options.rounds} rounds, {options.connections} connections", title_justify="left")
    table.add_column("case")
    for heading in ("CPU µs a request", "store's CPU µs", "requests/s"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        table.add_row(name, f"{row.cpu_us:.1f}", f"{row.store_cpu_us:.1f}", f"{row.requests_per_s:,.0f}")
    console.print(table)
    summary = Table(show_header=False, title="ratios", title_justify="left")
    for name, ratio in ratios.items():
        summary.add_row(name, f"{ratio:.2f}")
    console.print(summary)
    console.print(_of_orders(found))


def _of_orders(found: Firms) -> Table:
    table = Table(title="orders; acceptance: 500 at 50 a second", title_justify="left")
    table.add_column("case")
    for heading in ("accepted/s", "completed/s", "CPU ms an order", "accepted in p50", "p99", "slowest"):
        table.add_column(heading, justify="right")
    for name, row in found.orders.items():
        wait = found.acceptance.get(name)
        waits = (f"{ms:.0f} ms" for ms in (wait.p50_ms, wait.p99_ms, wait.slowest_ms)) if wait else ("", "", "")
        accepted = f"{row.accepted_per_s:.0f}" if row.accepted_per_s else ""
        table.add_row(name, accepted, f"{row.completed_per_s:.1f}", f"{row.cpu_ms_per_order:.1f}", *waits)
    return table


def _save(rows: dict[str, Sample], ratios: dict[str, float], found: Firms, options: argparse.Namespace) -> None:
    RESULTS.parent.mkdir(exist_ok=True)
    result = {
        "machine": {"python": sys.version.split()[0], "system": platform.platform(), "cores": os.cpu_count()},
        "options": vars(options),
        "cases": to_builtins(rows),
        "ratios": ratios,
        "orders": to_builtins(found),
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
