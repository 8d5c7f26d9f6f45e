"""``tiergate chaos``: orders under kills and failing systems, then the ledgers of all systems."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.failure import Failure

if TYPE_CHECKING:  # imported when it runs, so that the command line starts fast
    from gateway.chaos.campaign import Campaign, Result, Watch

FINDINGS_SHOWN = 30
TIMELINES_SHOWN = 3


class Share(click.ParamType[float]):
    """A share such as ``5%`` or ``0.05``."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The share as a number from 0 to 1."""
        text = str(value)
        try:
            share = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{text!r} is not a share such as 5% or 0.05", param, ctx)
        return share


@click.command()
@click.option("--orders", type=click.IntRange(1, 100_000), default=200, show_default=True, help="Orders to place.")
@click.option("--kills", type=click.IntRange(0, 1_000), default=10, show_default=True, help="Processes to kill.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides orders, faults and kills.")
@click.option("--lost", type=Share(), default="5%", show_default=True, help="Share of answers that get lost.")
@click.option("--failing", type=Share(), default="10%", show_default=True, help="Share of calls to systems that fail.")
@click.option("--processes", type=click.IntRange(1, 8), help="Gateways. [default: 1, on PostgreSQL 3]")
@click.option("--postgres", is_flag=True, help="Keep flows in a PostgreSQL of the run's own, which is killed as well.")
@click.option("--database-url", default="", help="Keep flows in this PostgreSQL, which must be empty and stays up.")
@click.option("--settle", type=click.FloatRange(1, 600), default=60, show_default=True, help="Seconds to settle in.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Leave all state in this new folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    orders: int,
    kills: int,
    seed: int,
    lost: float,
    failing: float,
    processes: int | None,
    postgres: bool,
    database_url: str,
    settle: float,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Kill, stop and starve gateways of its own under orders, and check that nothing was lost or doubled.

    Everything happens in a temporary home on this machine. Exits with 1 where a ledger is wrong,
    with the timelines of the orders concerned and the command that runs the same again.
    """
    from gateway.chaos.campaign import Campaign
    from gateway.chaos.schedule import Run

    on_postgres = postgres or bool(database_url)
    count = processes or (3 if on_postgres else 1)
    if keep is not None:
        keep = keep.resolve()
        if keep.exists() and any(keep.iterdir()):
            raise Failure(f"{keep} is not empty; name a new folder.")
        keep.mkdir(parents=True, exist_ok=True)
    campaign = Campaign(
        run=Run(
            seed=seed, orders=orders, kills=kills, processes=count, database_is_own=on_postgres and not database_url
        ),
        failing=failing,
        lost=lost,
        store="postgres" if on_postgres else "sqlite",
        database_url=database_url,
        settle_s=settle,
    )
    result = _carry_out(campaign, keep)
    if as_json:
        _print_json(result)
    else:
        _show(result)
    if result.findings:
        raise click.exceptions.Exit(1)


def _carry_out(campaign: Campaign, keep: Path | None) -> Result:
    from gateway.chaos.campaign import carry_out
    from gateway.chaos.fleet import FleetFailed
    from gateway.chaos.http import Lost
    from gateway.chaos.postgresql import NoDatabase

    with _progress(campaign) as watch:
        try:
            result, _ = asyncio.run(carry_out(campaign, watch, keep))
        except (FleetFailed, NoDatabase, Lost) as error:
            raise Failure(f"The run broke off: {error}", f"Again with: {_command(campaign)}") from None
    return result


def _command(campaign: Campaign) -> str:
    run = campaign.run
    words = [
        f"tiergate chaos --orders {run.orders} --kills {run.kills} --seed {run.seed}",
        f"--lost {campaign.lost:.4g} --failing {campaign.failing:.4g} --processes {run.processes}",
    ]
    if campaign.store == "postgres":
        words.append("--database-url URL" if campaign.database_url else "--postgres")
    return " ".join(words)


@contextmanager
def _progress(campaign: Campaign) -> Generator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gateway.chaos.drive import Pulse
    from gateway.chaos.killing import Toll

    columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    run = campaign.run
    with Progress(*columns, console=Console(stderr=True)) as bars:
        accepted, ended, killed = (
            bars.add_task(name, total=total)
            for name, total in (("Accepted", run.orders), ("Ended", run.orders), ("Killed", run.kills))
        )

        class Bars:
            def stage(self, name: str) -> None:
                bars.console.print(f"{name.capitalize()} …", style="dim")

            def moved(self, pulse: Pulse, toll: Toll) -> None:
                bars.update(accepted, completed=pulse.accepted)
                bars.update(ended, completed=pulse.ended)
                bars.update(killed, completed=toll.kills.total())

        yield Bars()


def _print_json(result: Result) -> None:
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())


def _show(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table

    from gateway.chaos.summary import rows

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, text in rows(result):
        table.add_row(name, text)
    console.print(table)
    if not result.findings:
        console.print("\nNothing was lost, nothing doubled, nothing left over.", style="green")
        return
    console.print(f"\n{len(result.findings)} findings:", style="red")
    for finding in result.findings[:FINDINGS_SHOWN]:
        console.print(f"  {finding.order_id} {finding.sentence}".replace("   ", "  "), markup=False, soft_wrap=True)
    if len(result.findings) > FINDINGS_SHOWN:
        console.print(f"  and {len(result.findings) - FINDINGS_SHOWN} more")
    for order_id, entries in list(result.timelines.items())[:TIMELINES_SHOWN]:
        console.print(f"\nTimeline of {order_id}:", markup=False)
        for entry in entries:
            console.print(f"  {entry}", markup=False, soft_wrap=True)
    console.print(f"\nThe same again: {_command(result.campaign)}", markup=False, soft_wrap=True)
