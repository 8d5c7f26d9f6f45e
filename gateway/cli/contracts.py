"""``tiergate contracts``: the OpenAPI documents of every API version, generated and committed."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.failure import Failure


@click.group()
def command() -> None:
    """Work with the published contracts."""


@command.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if a document is stale.")
@click.option("--directory", type=click.Path(path_type=Path), default=Path("openapi"), show_default=True)
def export(check: bool, directory: Path) -> None:
    """Write one OpenAPI document per API version.

    They depend on the contracts and on the policies' defaults, never on a machine's settings.
    """
    from gateway.cli.documents import stale_documents

    stale = stale_documents(directory, check=check)
    if check and stale:
        raise Failure(*(f"{one}." for one in stale), "Renew them with: tiergate contracts export")
    for one in stale:
        click.echo(f"{one.path}: {'removed' if not one.path.exists() else 'written'}")
    if not stale:
        click.echo(f"Every document in {directory}/ agrees with its contract.")
