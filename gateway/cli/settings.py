"""``tiergate settings``: what is in force here, and who said so."""

from __future__ import annotations

import click

from gateway.cli.here import settings_here


@click.command()
@click.option("--all", "everything", is_flag=True, help="Show defaults too.")
def command(everything: bool) -> None:
    """Show the effective settings and their source."""
    from rich.console import Console
    from rich.table import Table

    settings = settings_here()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Setting", "Value", "From"):
        table.add_column(column, overflow="fold")
    for row in settings.show():
        if (
            everything
            or row.source != "default"
            or row.key in ("home", "gateway.host", "gateway.port", "gateway.tiers")
        ):
            table.add_row(*row)
    Console(highlight=False).print(table)
    if not everything:
        click.echo("\nAll others have their defaults; tiergate settings --all shows them.")
