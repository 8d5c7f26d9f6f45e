"""``tiergate check``: what a start would meet here."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from gateway.cli.here import environment

STYLES = {"ok": "green", "warning": "yellow", "failed": "bold red"}


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file. [default: tiergate.toml]")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all local state. [default: var]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a script.")
def command(config: Path | None, home: Path | None, as_json: bool) -> None:
    """Examine configuration, contracts, store, database, issuers, placement, port and home before a start.

    Nothing is changed. The exit code is 1 where something would keep the gateway from starting or serving.
    """
    from gateway.checking import examine

    logging.getLogger().addHandler(logging.NullHandler())  # what parts log of it stands in the table
    findings = examine(environment(config=config, home=home), Path.cwd())
    failed = sum(finding.result == "failed" for finding in findings)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode({"ok": not failed, "findings": findings})).decode())
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("Check", "Result", "Found"):
            table.add_column(column, overflow="fold")
        for finding in findings:
            found = Text(finding.detail) if not finding.advice else Text(f"{finding.detail}\n{finding.advice}")
            table.add_row(Text(finding.what), Text(finding.result, style=STYLES[finding.result]), found)
        Console(highlight=False).print(table)
        warnings = sum(finding.result == "warning" for finding in findings)
        click.echo(f"\n{len(findings)} checks: {failed} failed, {warnings} with a warning.")
    if failed:
        sys.exit(1)
