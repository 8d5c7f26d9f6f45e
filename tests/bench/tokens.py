"""Access tokens of a gateway's own issuer."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request


def token_of(base: str, client_id: str, secret: str) -> str:
    """A token for this client from the gateway at ``base``."""
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    with urllib.request.urlopen(f"{base}/oauth/token", urllib.parse.urlencode(form).encode()) as answer:
        token: str = json.load(answer)["access_token"]
    return token
