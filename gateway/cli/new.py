"""``tiergate new``: a working, tested skeleton in the right folder."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.failure import CONFIGURATION, Failure

NEXT = {
    "system-api": "Set [systems.{name}] connector and settings in tiergate.toml, and give a consumer {kebab}.records:read.",
    "process-api": "Give a consumer the scope {kebab}.products:read in tiergate.toml.",
    "experience-api": "Give a consumer the scope {kebab}.account:read in tiergate.toml.",
    "connector": 'Write its methods, then set connector = "{name}" under [systems.{api}] of tiergate.toml.',
    "policy": "Say in its docstring what it guarantees, then make it so; it is enforced from the next start on.",
}


@click.command()
@click.argument("kind", type=click.Choice(tuple(NEXT)))
@click.argument("name")
@click.option("--api", default="", help="For a connector: the system API it is for, such as erp.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The repository to write into. [default: the current folder]",
)
def command(kind: str, name: str, api: str, folder: Path) -> None:
    """Write a skeleton: tiergate new system-api tax_rates.

    KIND is system-api, process-api, experience-api, connector or policy; NAME is in snake_case. It
    works in this repository and in one of your own beside an installed Tiergate.
    """
    from gateway.scaffold.writing import ScaffoldRefused, write

    if (kind == "connector") != bool(api):
        raise Failure(
            "A connector is for one API: tiergate new connector NAME --api erp."
            if kind == "connector"
            else f"--api goes with a connector only, not with a {kind}.",
            exit_code=CONFIGURATION,
        )
    try:
        written = write(kind, name, folder, api)
    except ScaffoldRefused as refused:
        raise Failure(str(refused), exit_code=CONFIGURATION) from None
    for path in written:
        click.echo(f"  wrote {folder / path}")
    tests = next(path for path in written if path.parts[0] == "tests").parent
    click.echo(f"\n  Next: python -m pytest {folder / tests}")
    click.echo(f"        {NEXT[kind].format(name=name, kebab=name.replace('_', '-'), api=api)}")
    click.echo("        In a repository of your own: export PYTHONPATH=$PWD, then tiergate apis and tiergate serve.")
