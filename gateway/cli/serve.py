"""``tiergate serve``: run the gateway."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.banner import Banner
from gateway.cli.failure import Failure
from gateway.cli.here import environment, settings_here
from gateway.serving.refusal import StartRefused
from gateway.supervisor import APP, serve


@click.command()
@click.option("--tiers", help="Tiers to serve here, such as system,process. [default: all]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 for a free one. [default: 8000]")
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes. [default: 1]")
@click.option("--home", type=click.Path(path_type=Path), help="Folder of all local state. [default: var]")
@click.option("--config", type=click.Path(path_type=Path), help="Configuration file. [default: tiergate.toml]")
@click.option("--app", default=APP, hidden=True, help="ASGI application factory, module:attribute.")
def command(
    tiers: str | None,
    port: int | None,
    host: str | None,
    workers: int | None,
    home: Path | None,
    config: Path | None,
    app: str,
) -> None:
    """Serve the tiers until Ctrl-C or SIGTERM.

    A second gateway on the same home joins the first: it shares the store and the databases, and
    needs a port of its own.
    """
    environ = environment(tiers=tiers, port=port, host=host, workers=workers, home=home, config=config)
    settings = settings_here(environ)
    try:
        serve(settings, environ, Banner(), app)
    except StartRefused as refused:
        raise Failure(*str(refused).splitlines(), exit_code=refused.exit_code) from None
