"""What ``tiergate serve`` prints: where things are, and a session to copy and paste."""

from __future__ import annotations

from contextlib import suppress

import click

from gateway.serving.home import Home
from gateway.settings import Settings

PAGES = (
    ("Documentation", "/docs"),
    ("Governance", "/governance/apis"),
    ("API catalogue", "/.well-known/api-catalog"),
    ("OpenAPI", "/openapi/experience/portal/v1.json"),
    ("Tokens", "/oauth/token"),
    ("Readiness", "/readyz"),
)
SESSION = """\
TOKEN=$(curl -s -u portal-demo:portal-demo-secret -d grant_type=client_credentials {url}/oauth/token |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

curl -s -H "Authorization: Bearer $TOKEN" '{url}/experience/portal/v1/products?limit=3' | python3 -m json.tool

ORDER=$(curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \\
  -H 'Idempotency-Key: my-first-order' -H 'Prefer: wait=5' \\
  -d '{{"reference": "PO-1001", "lines": [{{"sku": "{sku}", "quantity": 2}}]}}' {url}/experience/portal/v1/orders |
  tee -a /dev/stderr | python3 -c 'import json, sys; print(json.load(sys.stdin)["order_id"])')

curl -s -H "Authorization: Bearer $TOKEN" {url}/experience/portal/v1/orders/$ORDER | python3 -m json.tool

curl -s -H "Authorization: Bearer $TOKEN" {url}/experience/portal/v1/invoices | python3 -m json.tool"""
DEMO_SKU = "BRG-6204"


class Banner:
    """Tells on the terminal what the supervisor does."""

    def ready(self, settings: Settings, home: Home, took_s: float) -> None:
        """The gateway answers: where it is and what to try."""
        url = settings.local_url
        tiers = ", ".join(settings.gateway.tiers)
        _say()
        _say(f"  Tiergate serves {tiers} at {url}", bold=True, nl=False)
        _say(f"  (ready after {took_s:.1f} s)")
        _say()
        for name, path in PAGES:
            _say(f"  {name:<15}{url}{path}")
        joined = "" if home.is_first else "  (joined the gateway that was here first)"
        _say(f"  {'Home':<15}{home.path}{joined}")
        if settings.telemetry.log == "file":
            _say(f"  {'Log':<15}{home.log_file}")
        if settings.demo_clients and "experience" in settings.gateway.tiers:
            _say("\n  A session to copy and paste:\n")
            _say(SESSION.format(url=url, sku=DEMO_SKU))
        _say("\n  Ctrl-C stops it.")

    def worker_lost(self, how: str) -> None:
        """A worker ended by itself and is replaced."""
        _say(f"  A worker ended ({how}) and is replaced.", fg="yellow", err=True)

    def reloaded(self, what: str) -> None:
        """New settings hold."""
        _say(f"  Settings reloaded: {what}.")

    def reload_refused(self, sentences: tuple[str, ...]) -> None:
        """The settings in force stay."""
        _say("  The settings were not taken over; those in force stay:", fg="yellow", err=True)
        for sentence in sentences:
            _say(f"    {sentence}", fg="yellow", err=True)

    def draining(self) -> None:
        """The gateway was told to stop."""
        _say("\n  Finishing what is under way; Ctrl-C again ends it at once.")

    def stopped(self) -> None:
        """Every child has ended."""
        _say("  Stopped.")


def _say(
    text: str = "", *, nl: bool = True, err: bool = False, bold: bool | None = None, fg: str | None = None
) -> None:
    with suppress(OSError):  # whoever read it has gone; the gateway goes on
        click.secho(text, nl=nl, err=err, bold=bold, fg=fg)
