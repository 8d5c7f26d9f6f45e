"""The embedded issuer of access tokens."""

from governance.issuer.issuer import EmbeddedIssuer
from governance.issuer.metadata import ProtectedResources
from governance.issuer.routes import resource_routes, routes
from governance.issuer.token_request import TokenRequest

__all__ = ["EmbeddedIssuer", "ProtectedResources", "TokenRequest", "resource_routes", "routes"]
