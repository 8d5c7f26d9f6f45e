"""``tiergate demo``: one order from price to invoice, with every hop."""

from __future__ import annotations

from contextlib import nullcontext

import click

CLIENT = "portal-demo"


@click.command()
@click.option(
    "--url",
    "urls",
    metavar="URL",
    multiple=True,
    help="A running gateway's base URL; repeated for the processes of further tiers. [default: a gateway of its own]",
)
def command(urls: tuple[str, ...]) -> None:
    """Narrate one order from price to invoice.

    Shows each hop with tier, operation, policies applied and time, and ends with the order's timeline.
    """
    from rich.console import Console

    from gateway.cli.token import fetch_token
    from gateway.demonstration.lodging import own_gateway
    from gateway.demonstration.story import tell_one_order
    from gateway.demonstration.visit import Visit

    console = Console(highlight=False)
    if not urls:
        console.print("Starting a gateway with a temporary home …", style="dim")
    given = [url.rstrip("/") for url in urls]
    with nullcontext(given[0]) if given else own_gateway() as base_url:
        token = fetch_token(base_url, CLIENT, f"{CLIENT}-secret")
        console.print(f"{CLIENT} has a token of {base_url}.", style="dim")
        with Visit(base_url, token, given[1:]) as visit:
            tell_one_order(visit, console)
