"""The ``WWW-Authenticate`` answers that tell a client what is missing and where to get it.

Standards: RFC 6750 §3 (challenge, error codes) and RFC 9728 §5.1 (``resource_metadata``).
"""

from __future__ import annotations

import re

NOT_QUOTABLE = re.compile(r"[^ !#-\[\]-~]")
"""RFC 6750 §3: what ``error_description`` can't hold."""

HEADER = b"www-authenticate"


class Challenges:
    """Challenges for the tiers under one ``public_url``."""

    def __init__(self, public_url: str, realm: str = "tiergate") -> None:
        self._public_url = public_url.rstrip("/")
        self._realm = realm

    def metadata_url(self, tier: str) -> str:
        """Where the RFC 9728 metadata of ``tier`` is served."""
        return f"{self._public_url}/.well-known/oauth-protected-resource/{tier}"

    def missing(self, tier: str) -> bytes:
        """No credentials came: RFC 6750 §3.1 wants no error code then."""
        return self._challenge(tier)

    def invalid_token(self, tier: str, description: str) -> bytes:
        """A token came and does not verify."""
        return self._challenge(tier, error="invalid_token", error_description=description)

    def invalid_request(self, tier: str, description: str) -> bytes:
        """Credentials came twice, or in a place where none may stand."""
        return self._challenge(tier, error="invalid_request", error_description=description)

    def insufficient_scope(self, tier: str, scope: str) -> bytes:
        """The token is good and lacks ``scope``."""
        description = f"The operation needs the scope {scope}."
        return self._challenge(tier, error="insufficient_scope", error_description=description, scope=scope)

    def _challenge(self, tier: str, **parameters: str) -> bytes:
        named = {"realm": self._realm, **parameters, "resource_metadata": self.metadata_url(tier)}
        text = ", ".join(f'{name}="{NOT_QUOTABLE.sub(" ", value)}"' for name, value in named.items())
        return f"Bearer {text}".encode()
