"""``tiergate apis``: every API version that the folders hold, and who calls it."""

from __future__ import annotations

from collections import defaultdict

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import settings_here


@click.command()
@click.option("--operations", is_flag=True, help="List each API's operations with path and scope.")
def command(operations: bool) -> None:
    """Show the APIs: tier, version, lifecycle, owner, operations, who calls them."""
    from rich.console import Console
    from rich.table import Table

    from governance.contract.discovery import discover_apis
    from governance.contract.errors import ContractError
    from governance.contract.graph import graph
    from governance.contract.operation import TIERS

    settings = settings_here()
    try:
        nodes = graph(discover_apis(), settings.grants)
    except ContractError as error:
        raise Failure(*str(error).splitlines(), exit_code=CONFIGURATION) from None
    callers: dict[str, set[str]] = defaultdict(set)
    for node in nodes:
        for operation in node.needs:
            callers[operation.api_id].add(node.api.id)

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Tier", "API", "Version", "Lifecycle", "Owner", "Operations", "Called by"):
        table.add_column(column, justify="right" if column == "Operations" else "left")
    apis = sorted((node.api for node in nodes), key=lambda api: (-TIERS.index(api.tier), api.name, api.version))
    for api in apis:
        by = ", ".join(sorted(callers[api.id])) or ("clients" if api.tier == "experience" else "–")
        table.add_row(api.tier, api.slug, f"v{api.version}", api.lifecycle, api.owner, str(len(api.operations)), by)
        if operations:
            for operation in api.operations:
                table.add_row("", f"  {operation.method} {operation.path}", "", "", "", "", operation.scope, style="dim")
    Console(highlight=False).print(table)
