"""What clients can look up: RFC 8414 metadata, the JWK Set, and RFC 9728 metadata of each tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from joserfc.jwk import Key

from governance.consumers import GOVERNANCE, ScopeCatalogue
from governance.contract.operation import TIERS
from governance.issuer.client import GRANTS, METHODS

GRANT_PATH = "/oauth/token"
KEYS_PATH = "/.well-known/jwks.json"
SERVER_PATH = "/.well-known/oauth-authorization-server"
RESOURCE_PATH = "/.well-known/oauth-protected-resource"


def server_metadata(issuer: str, catalogue: ScopeCatalogue) -> dict[str, Any]:
    """RFC 8414 §2, with ``protected_resources`` of RFC 9728 §4."""
    return {
        "issuer": issuer,
        "token_endpoint": issuer + GRANT_PATH,
        "jwks_uri": issuer + KEYS_PATH,
        "scopes_supported": list(catalogue),
        "response_types_supported": [],
        "grant_types_supported": list(GRANTS),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "protected_resources": [f"{issuer}/{tier}" for tier in TIERS],
    }


def key_set(keys: Iterable[Key]) -> dict[str, Any]:
    """RFC 7517 §5: the public halves only."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


class ProtectedResources:
    """RFC 9728 §2: each tier as a resource of its own and the issuers whose tokens it takes."""

    def __init__(self, public_url: str, issuers: Iterable[str], catalogue: ScopeCatalogue) -> None:
        base = public_url.rstrip("/")
        self._documents: Mapping[str, dict[str, Any]] = {
            tier: {
                "resource": f"{base}/{tier}",
                "authorization_servers": list(issuers),
                "scopes_supported": sorted(catalogue.select(tier)),
                "bearer_methods_supported": ["header"],
                "resource_name": f"Tiergate {tier} APIs",
            }
            for tier in (*TIERS, GOVERNANCE)
        }

    def metadata(self, tier: str) -> dict[str, Any] | None:
        """The document of ``tier``, or None where there is no such tier."""
        return self._documents.get(tier)
