"""The embedded issuer of access tokens."""

from governance.issuer.issuer import EmbeddedIssuer
from governance.issuer.key_ring import KeyRing
from governance.issuer.metadata import ProtectedResources
from governance.issuer.routes import resource_routes, routes
from governance.issuer.token_request import TokenRequest
from governance.issuer.users import Users, demo_users, load_users

__all__ = [
    "EmbeddedIssuer",
    "KeyRing",
    "ProtectedResources",
    "TokenRequest",
    "Users",
    "demo_users",
    "load_users",
    "resource_routes",
    "routes",
]
