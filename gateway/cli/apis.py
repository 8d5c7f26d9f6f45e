"""``tiergate apis``: every API version that the folders hold, and who calls it."""

from __future__ import annotations

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import settings_here

NEVER_CUT = ("Tier", "API", "Called by")
WIDTH = 120
"""Columns where nobody says how wide the reader's screen is, such as in a pipe."""


@click.command()
@click.option("--operations", is_flag=True, help="List each API's operations with path and scope.")
def command(operations: bool) -> None:
    """Show every API, its owner and who calls it."""
    from rich.console import Console
    from rich.table import Table

    from governance.contract.discovery import discover_apis
    from governance.contract.errors import ContractError
    from governance.contract.graph import graph
    from governance.report import api_rows

    settings = settings_here()
    try:
        rows = api_rows(graph(discover_apis(), settings.grants))
    except ContractError as error:
        raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Tier", "API", "Version", "Lifecycle", "Owner", "Operations", "Called by"):
        justify = "right" if column == "Operations" else "left"
        table.add_column(column, justify=justify, no_wrap=column in NEVER_CUT, overflow="fold")
    for row in rows:
        callers = "\n".join(row.called_by) or ("clients" if row.tier == "experience" else "–")
        count = str(len(row.operations))
        table.add_row(row.tier, row.api, f"v{row.version}", row.lifecycle, row.owner, count, callers)
        if operations:
            for one in row.operations:
                table.add_row("", f"  {one.method} {one.path}", "", "", "", "", one.scope, style="dim")
    console = Console(highlight=False)
    Console(highlight=False, width=None if console.is_terminal else max(console.width, WIDTH)).print(table)
