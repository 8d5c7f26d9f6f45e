"""``tiergate new``: a working skeleton of an API, a connector or a policy, with its tests."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.scaffold import KINDS, Kind, Refused, new
from gateway.scaffold.steps import next_steps
from governance.contract.errors import ContractError


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option("--api", metavar="API", help="The system API that a connector is for, such as erp.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    help="The repository to write into. [default: the current directory]",
)
def command(kind: Kind, name: str, api: str | None, folder: Path) -> None:
    """Write a working skeleton with its tests: an API, a connector or a policy called NAME (snake_case).

    It goes into the right folder of this repository, or of a company's own beside an installed
    Tiergate. Nothing that stands already is touched.
    """
    try:
        written = new(kind, name, folder, api)
    except (Refused, ContractError) as refused:
        raise Failure(str(refused), exit_code=CONFIGURATION) from None
    for path in written:
        click.echo(f"wrote {folder / path}")
    click.echo(f"\n{next_steps(kind, name, written, api)}")
