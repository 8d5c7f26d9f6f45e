"""``tiergate restore``: a home as it was when a backup of it was taken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.cli.here import settings_here


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Set aside what the home holds now.")
@click.option("-q", "--quiet", is_flag=True, help="Don't list the files.")
def command(file: Path, *, replace: bool, quiet: bool) -> None:
    """Put the backup FILE into the home. No gateway may run on it.

    The backup is checked whole before anything is changed. Flows go on from where they were when it was
    taken; what they do again is found by its reference, so nothing is made twice in systems of the home.
    """
    from gateway.backup import NotABackup, NotRestored, restore

    settings = settings_here()
    try:
        manifest = restore(
            file,
            settings.home,
            replace=replace,
            now=datetime.now(UTC),
            told=(lambda _: None) if quiet else (lambda path: click.echo(f"  {path}")),
        )
    except NotRestored as error:
        raise Failure(str(error), exit_code=CONFIGURATION) from None
    except NotABackup as error:
        raise Failure(f"{file} can't be restored. {error}", exit_code=CONFIGURATION) from None
    except OSError as error:
        raise Failure(f"Nothing was restored: {error}.") from None
    taken = f"{manifest.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    click.echo(f"{settings.home} is as it was at {taken}: {len(manifest.files)} files, by Tiergate {manifest.version}.")
    if manifest.database != "sqlite":
        click.echo("Restore the database of [database] url to the same moment or to an earlier one.")
