"""``tiergate users``: the people who sign in at the embedded issuer."""

from __future__ import annotations

import click

from gateway.cli.failure import CONFIGURATION, Failure

LEAST_PASSWORD, LONGEST_PASSWORD = 10, 256


@click.group()
def command() -> None:
    """Prepare [users.<name>] tables of tiergate.toml."""


@command.command("hash")
@click.option("--password", envvar="TIERGATE_USER_PASSWORD", help="The password. [default: asked for twice, unseen]")
def hash_password(password: str | None) -> None:
    """Print what to write as the password of a user: its scrypt hash, from which it can't be found."""
    from governance.consumers import hash_secret

    given = password if password is not None else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not LEAST_PASSWORD <= len(given) <= LONGEST_PASSWORD:
        sentence = f"A password has {LEAST_PASSWORD} characters or more, and up to {LONGEST_PASSWORD}."
        raise Failure(sentence, exit_code=CONFIGURATION)
    click.echo(hash_secret(given))
