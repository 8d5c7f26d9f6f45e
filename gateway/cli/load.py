"""``tiergate load``: master data from CSV files into the ERP and the CRM."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import environment, settings_here

if TYPE_CHECKING:  # imported when it runs, so that the command line starts fast
    from gateway.load import LoadReport
    from gateway.load.loading import Watch
    from gateway.settings import Settings

SHOWN_FAULTS = 20


def _warehouse(_: click.Context, __: click.Parameter, given: str) -> str:
    import msgspec

    from system_apis.canonical.values import WarehouseId

    try:
        return msgspec.convert(given, WarehouseId)
    except msgspec.ValidationError:
        raise click.BadParameter(f"{given!r}: a warehouse is capitals, digits and hyphens, at most 20.") from None


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--warehouse",
    default="NW1",
    show_default=True,
    callback=_warehouse,
    help="Where stock goes that names no warehouse.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all local state. [default: var]")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file. [default: tiergate.toml]")
def command(directory: Path, warehouse: str, home: Path | None, config: Path | None) -> None:
    """Load products, stock and customers from the CSV files in DIRECTORY.

    Checks every row first. Bad rows go to <home>/quarantine with the reason, the others are
    loaded; a second load of the same files changes nothing. docs/load.md shows the columns.
    """
    settings = settings_here(environment(home=home, config=config))
    report = _load(directory, warehouse, settings)
    _show(report)


def _load(directory: Path, warehouse: str, settings: Settings) -> LoadReport:
    from gateway.embedded.valkey import ValkeyFailed
    from gateway.load import UnreadableFile, load
    from gateway.load.systems import systems
    from gateway.serving.home import Home
    from gateway.serving.refusal import StartRefused
    from gateway.settings import SettingsError
    from governance.call import SystemClock
    from governance.consumers import ConsumerError
    from governance.contract import ContractError, Problem
    from governance.identity import KeyFileError

    async def run() -> LoadReport:
        clock = SystemClock()
        async with systems(settings, clock) as (erp, crm):
            with _progress() as watch:
                return await load(
                    directory,
                    erp,
                    crm,
                    quarantine_folder=settings.home / "quarantine",
                    clock=clock,
                    warehouse=warehouse,
                    watch=watch,
                )

    try:
        Home(settings.home).leave()  # says in one sentence why a folder can't hold the state
        return asyncio.run(run())
    except SettingsError as error:
        raise Failure(*error.violations, exit_code=CONFIGURATION) from None
    except (ContractError, ConsumerError) as error:
        raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None
    except (UnreadableFile, StartRefused, KeyFileError) as error:
        raise Failure(str(error)) from None
    except Problem as error:
        raise Failure(f"The load ended early: {error}", "What was loaded stays; load again to go on.") from None
    except (OSError, sqlite3.Error, ValkeyFailed) as error:
        raise Failure(f"The load ended early: {error}") from None


@contextmanager
def _progress() -> Generator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def watch(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)

        yield watch


def _show(report: LoadReport) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Records")
    for column in ("Rows", "Created", "Changed", "Unchanged", "Quarantined"):
        table.add_column(column, justify="right")
    for row in report.tables:
        counts = (row.rows, row.created, row.changed, row.unchanged, row.quarantined)
        table.add_row(row.name, *(f"{count:,}" for count in counts))
    console.print(table)
    if report.ignored:
        console.print(f"\nColumns that nothing takes: {', '.join(report.ignored)}.", style="dim", markup=False)
    if not report.faults:
        return
    console.print(
        f"\n{report.quarantined:,} rows in quarantine: {report.quarantine_file}", markup=False, soft_wrap=True
    )
    for fault in report.faults[:SHOWN_FAULTS]:
        console.print(f"  {fault.file}:{fault.line} {fault.field} {fault.reason}", markup=False, soft_wrap=True)
    if len(report.faults) > SHOWN_FAULTS:
        console.print(f"  and {len(report.faults) - SHOWN_FAULTS:,} more", markup=False)
