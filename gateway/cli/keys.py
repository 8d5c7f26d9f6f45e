"""``tiergate keys``: the keys with which the embedded issuer signs access tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from gateway.cli.failure import Failure
from gateway.cli.here import settings_here

if TYPE_CHECKING:
    from governance.issuer import KeyRing

PUBLICATION_S = 600


@click.group()
def command() -> None:
    """List and rotate the embedded issuer's signing keys."""


@command.command("list")
def list_keys() -> None:
    """List the keys that are published, and what each is for."""
    from governance.issuer.key_ring import leaves, starts

    ring = _ring()
    signing = ring.signing().kid
    for key in ring.published():
        end = leaves(key)
        state = "signs now" if key.kid == signing else "verifies"
        if key.kid != signing and end is None:
            state = f"signs from {_time(starts(key))}"
        click.echo(f"{key.kid}  {state}" + (f", leaves {_time(end)}" if end is not None else ""))


@command.command()
@click.option(
    "--after",
    "publication_s",
    type=click.IntRange(0, 604_800),
    default=PUBLICATION_S,
    show_default=True,
    metavar="SECONDS",
    help="How long the new key is published before it signs.",
)
@click.option(
    "--compromised", is_flag=True, help="Sign with the new key at once, and refuse every token of the former ones."
)
def rotate(publication_s: int, *, compromised: bool) -> None:
    """Add a signing key; running gateways on this home take it up without a restart.

    The former key stays published until its last token has expired.
    """
    from governance.identity import KeyFileError
    from governance.issuer.key_ring import starts

    lifetime_s = settings_here().issuer.access_token_lifetime_s
    ring = _ring()
    try:
        new = ring.replace() if compromised else ring.rotate(publication_s=publication_s, token_lifetime_s=lifetime_s)
    except KeyFileError as error:
        raise Failure(str(error)) from None
    click.echo(f"{new.kid}  signs from {_time(starts(new))}")


def _ring() -> KeyRing:
    from governance.call import SystemClock
    from governance.identity import KeyFileError
    from governance.issuer import KeyRing

    try:
        return KeyRing(settings_here().home / "keys" / "issuer.json", SystemClock())
    except KeyFileError as error:
        raise Failure(str(error)) from None


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
