"""``tiergate users``: the people who sign in at the embedded issuer."""

from __future__ import annotations

import click

from gateway.cli.failure import CONFIGURATION, Failure

LEAST_PASSWORD = 10


@click.group()
def command() -> None:
    """Prepare [users.<name>] tables of tiergate.toml."""


@command.command("hash")
@click.option("--password", envvar="TIERGATE_USER_PASSWORD", help="The password. [default: asked for twice, unseen]")
def hash_password(password: str | None) -> None:
    """Print what to write as the password of a user: its scrypt hash, from which it can't be found."""
    from governance.consumers import hash_secret

    given = password if password is not None else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if len(given) < LEAST_PASSWORD:
        raise Failure(f"A password needs {LEAST_PASSWORD} characters or more.", exit_code=CONFIGURATION)
    click.echo(hash_secret(given))
