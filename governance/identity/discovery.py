"""What an issuer publishes of itself: where its keys and its introspection endpoint are.

The ``issuer`` in the metadata must be the one that was asked, and every address in it must be https,
or http on this machine: metadata can't send secrets or key look-ups over an open network.

Standards: RFC 8414 §3, OpenID Connect Discovery 1.0 §4; RFC 9700 §2.6 (TLS end to end).
"""

from __future__ import annotations

import re
from typing import Any

from governance.identity.fetching import DocumentReader, Unreadable

WELL_KNOWN = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
SECURE_URL = re.compile(r"(?:https://[^\s?#@/]+|http://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?)(?:/[^\s#@]*)?")
"""https anywhere, http on this machine only, no credentials."""


async def located(issuer: str, entry: str, reader: DocumentReader) -> str:
    """The address that ``issuer`` publishes as ``entry``, such as ``jwks_uri``.

    Raises:
        Unreadable: no metadata, that of another issuer, or no address that may be used.
    """
    metadata = await _metadata(issuer.rstrip("/"), reader)
    url = metadata.get(entry)
    if metadata.get("issuer") != issuer or not isinstance(url, str) or not SECURE_URL.fullmatch(url):
        raise Unreadable(f"{issuer}: metadata of another issuer, or without a usable {entry}")
    return url


async def _metadata(base: str, reader: DocumentReader) -> dict[str, Any]:
    try:
        return await reader.read(base + WELL_KNOWN[0])
    except Unreadable:
        return await reader.read(base + WELL_KNOWN[1])
