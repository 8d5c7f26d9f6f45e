"""``tiergate backup``: everything that a gateway keeps in its home, in one file, while it serves."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import settings_here


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("-q", "--quiet", is_flag=True, help="Don't list the files.")
def command(file: Path, *, force: bool, quiet: bool) -> None:
    """Back up the home to FILE, such as tiergate-2026-11-21.tar.gz.

    The gateway may run meanwhile. FILE holds the signing keys: keep it as you keep them. tiergate.toml and
    the files of secrets are not in it. With [database] url, back up that database by its own tools as well.
    """
    from gateway.backup import take

    settings = settings_here()
    if file.exists() and not force:
        raise Failure(f"{file} is there already. Name another, or say --force.", exit_code=CONFIGURATION)
    if not settings.home.is_dir():
        raise Failure(f"There is nothing to back up: {settings.home} is not there.", exit_code=CONFIGURATION)
    apart = bool(settings.database.url) and not settings.database.url.startswith("sqlite")
    try:
        manifest = take(
            settings.home,
            file,
            version=version("tiergate"),
            database="postgresql" if apart else "sqlite",
            now=datetime.now(UTC),
            told=(lambda _: None) if quiet else (lambda path: click.echo(f"  {path}")),
        )
    except (OSError, sqlite3.Error) as error:
        raise Failure(f"No backup was taken: {error}.") from None
    size = file.stat().st_size / 1_000_000
    click.echo(f"{file}: {len(manifest.files)} files of {settings.home}, {size:.1f} MB.")
    if apart:
        click.echo("Flows, events and grants are in the database of [database] url: back it up by its own tools.")
