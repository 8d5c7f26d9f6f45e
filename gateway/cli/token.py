"""``tiergate token``: an access token from a running gateway, by the client credentials grant (RFC 6749 §4.4)."""

from __future__ import annotations

import click

from gateway.cli.failure import Failure
from gateway.cli.here import settings_here

TIMEOUT_S = 10.0


@click.command()
@click.option("--client", "client_id", required=True, metavar="ID", help="Client id, such as portal-demo.")
@click.option("--secret", envvar="TIERGATE_CLIENT_SECRET", help="Its secret. [default: <id>-secret, the demo clients']")
@click.option("--scope", multiple=True, help="A scope to ask for; may be repeated. [default: all granted ones]")
@click.option("--url", metavar="URL", help="The gateway's base URL. [default: as in the settings here]")
def command(client_id: str, secret: str | None, scope: tuple[str, ...], url: str | None) -> None:
    """Print an access token."""
    base_url = (url or settings_here().local_url).rstrip("/")
    click.echo(fetch_token(base_url, client_id, secret or f"{client_id}-secret", scope))


def fetch_token(base_url: str, client_id: str, secret: str, scopes: tuple[str, ...] = ()) -> str:
    """An access token of ``client_id`` with ``scopes``, or with all that it was granted.

    Raises:
        Failure: nobody answers at ``base_url``, or the token is refused.
    """
    import httpx2

    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(scopes)} if scopes else {})
    try:
        answer = httpx2.post(f"{base_url}/oauth/token", data=form, auth=(client_id, secret), timeout=TIMEOUT_S)
        said = answer.json()
    except httpx2.HTTPError as error:
        raise Failure(f"No gateway answers at {base_url} ({error}); start one with: tiergate serve") from None
    except ValueError:
        raise Failure(f"{base_url} is not a gateway: its answer to a token request is not JSON.") from None
    if answer.status_code == 200:
        return str(said["access_token"])
    reason = said.get("error_description") or said.get("detail") or said.get("error") or f"status {answer.status_code}"
    raise Failure(f"The gateway gave {client_id} no token: {str(reason).rstrip('.')}.")
