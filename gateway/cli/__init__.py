"""The command line: ``tiergate COMMAND``. One file in this folder is one command.

A module ``gateway/cli/<name>.py`` with an attribute ``command`` (a click command) is found by its
file; it is imported only when it is called, so that every command starts fast.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys

import click

from gateway.cli.failure import CONFIGURATION, Failure

OLDEST_PYTHON = (3, 11)


class OneFileACommand(click.Group):
    """A group whose commands are the modules beside this one that have an attribute ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, sorted."""
        names = [module.name for module in pkgutil.iter_modules(__path__)]
        return [name.replace("_", "-") for name in sorted(names) if self.get_command(ctx, name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None where no module has it."""
        name = cmd_name.replace("-", "_")
        if not any(module.name == name for module in pkgutil.iter_modules(__path__)):
            return None
        return getattr(importlib.import_module(f"{__name__}.{name}"), "command", None)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names.

        Raises:
            click.UsageError: there is none; the message names the closest.
        """
        if args and self.get_command(ctx, args[0]) is None:
            names = self.list_commands(ctx)
            close = difflib.get_close_matches(args[0], names, n=1)
            known = f"Did you mean {close[0]}?" if close else f"Commands: {', '.join(names)}."
            raise click.UsageError(f"There is no command {args[0]!r}. {known}", ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=OneFileACommand, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tiergate", prog_name="tiergate")
def tiergate() -> None:
    """API-led connectivity gateway: three governed tiers of APIs over ERP, CRM and commerce systems."""


def main() -> None:
    """Run the command line; a failure is one clear sentence and an exit code."""
    try:
        if sys.version_info < OLDEST_PYTHON:
            raise Failure(
                f"Tiergate needs Python 3.11 or later; this is {sys.version.split()[0]}.", exit_code=CONFIGURATION
            )
        tiergate(prog_name="tiergate")
    except Failure as failure:
        for sentence in failure.sentences:
            click.secho(f"tiergate: {sentence}", fg="red", err=True)
        sys.exit(failure.exit_code)
