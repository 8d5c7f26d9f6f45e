"""``tiergate demo``: one order from price to invoice, with every hop."""

from __future__ import annotations

from contextlib import nullcontext

import click

CLIENT = "portal-demo"


@click.command()
@click.option("--url", metavar="URL", help="A running gateway's base URL. [default: a temporary gateway of its own]")
def command(url: str | None) -> None:
    """Narrate one order from price to invoice.

    Shows each hop with tier, operation, policies applied and time, and ends with the order's timeline.
    """
    from rich.console import Console

    from gateway.cli.token import fetch_token
    from gateway.demonstration.lodging import own_gateway
    from gateway.demonstration.story import tell_one_order
    from gateway.demonstration.visit import Visit

    console = Console(highlight=False)
    if url is None:
        console.print("Starting a gateway with a temporary home …", style="dim")
    with own_gateway() if url is None else nullcontext(url.rstrip("/")) as base_url:
        token = fetch_token(base_url, CLIENT, f"{CLIENT}-secret")
        console.print(f"{CLIENT} has a token of {base_url}.", style="dim")
        with Visit(base_url, token) as visit:
            tell_one_order(visit, console)
