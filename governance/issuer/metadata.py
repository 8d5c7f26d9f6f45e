"""What clients can look up: RFC 8414 metadata, the JWK Set, and RFC 9728 metadata of each tier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from joserfc.jwk import Key

from governance.consumers import GOVERNANCE, ScopeCatalogue
from governance.contract.operation import TIERS
from governance.issuer.client import GRANTS, METHODS, SECRET_METHODS

GRANT_PATH = "/oauth/token"
SIGN_IN_PATH = "/oauth/authorize"
REVOKE_PATH = "/oauth/revoke"
INTROSPECT_PATH = "/oauth/introspect"
KEYS_PATH = "/.well-known/jwks.json"
SERVER_PATH = "/.well-known/oauth-authorization-server"
RESOURCE_PATH = "/.well-known/oauth-protected-resource"


PUBLISHED = frozenset({"kty", "crv", "x", "kid", "use", "alg"})


def server_metadata(issuer: str, catalogue: ScopeCatalogue) -> dict[str, Any]:
    """RFC 8414 §2, with ``protected_resources`` of RFC 9728 §4 and RFC 9207 §3."""
    return {
        "issuer": issuer,
        "token_endpoint": issuer + GRANT_PATH,
        "jwks_uri": issuer + KEYS_PATH,
        "scopes_supported": list(catalogue),
        "authorization_endpoint": issuer + SIGN_IN_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "grant_types_supported": list(GRANTS),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint": issuer + REVOKE_PATH,
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint": issuer + INTROSPECT_PATH,
        "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
        "protected_resources": [f"{issuer}/{tier}" for tier in TIERS],
    }


def key_set(keys: Iterable[Key]) -> dict[str, Any]:
    """RFC 7517 §5: the public halves only, without what the key file says of their lives."""
    return {"keys": [{k: v for k, v in key.as_dict(private=False).items() if k in PUBLISHED} for key in keys]}


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
