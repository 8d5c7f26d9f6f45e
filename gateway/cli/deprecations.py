"""``tiergate deprecations``: what is going away, and who still calls it."""

from __future__ import annotations

from datetime import date, datetime

import click
from msgspec import Struct

from gateway.cli.failure import Failure
from gateway.cli.here import settings_here

TIMEOUT_S = 10.0


class _Use(Struct, frozen=True):
    client_id: str
    name: str
    contact: str
    count: int
    last_used: datetime


class _Row(Struct, frozen=True):
    operation: str
    stage: str
    since: date | None
    sunset: date | None
    successor: str
    uses: tuple[_Use, ...]


class _Report(Struct, frozen=True):
    deprecations: tuple[_Row, ...]


@click.command()
@click.option("--url", metavar="URL", help="The gateway's base URL. [default: as in the settings here]")
@click.option("--token", envvar="TIERGATE_TOKEN", help="A token with governance:read, from another machine.")
def command(url: str | None, token: str | None) -> None:
    """List what is going away, with the consumers that still call it."""
    from rich.console import Console
    from rich.table import Table

    rows = _fetched((url or settings_here().local_url).rstrip("/"), token)
    if not rows:
        click.echo("Nothing is deprecated.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Sunset", "Operation", "Successor", "Consumer", "Contact", "Calls", "Last"):
        table.add_column(column, justify="right" if column == "Calls" else "left", overflow="fold")
    for row in rows:
        first = (str(row.sunset or "–"), row.operation, row.successor or "–")
        if not row.uses:
            table.add_row(*first, "nobody", "", "0", "")
        for use in row.uses:
            last = use.last_used.strftime("%Y-%m-%d %H:%M")
            table.add_row(*first, use.client_id, use.contact, str(use.count), last)
            first = ("", "", "")
    Console(highlight=False, soft_wrap=True).print(table)


def _fetched(base_url: str, token: str | None) -> tuple[_Row, ...]:
    import httpx2
    import msgspec

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx2.get(f"{base_url}/governance/deprecations", headers=headers, timeout=TIMEOUT_S)
    except httpx2.HTTPError as error:
        raise Failure(f"No gateway answers at {base_url} ({error}); start one with: tiergate serve") from None
    if answer.status_code in (401, 403):
        raise Failure(f"{base_url} shows its reports to this machine only, or for a token with governance:read.")
    if answer.status_code != 200:
        raise Failure(f"{base_url} answered {answer.status_code} instead of the report.")
    try:
        return msgspec.json.decode(answer.content, type=_Report).deprecations
    except msgspec.MsgspecError:
        raise Failure(f"{base_url} is not a gateway: its report is none.") from None
