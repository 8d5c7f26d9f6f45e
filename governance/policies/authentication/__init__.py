"""Authentication: who calls. See ``enforcement`` for what it guarantees."""

from governance.policies.authentication.enforcement import Enforcement
from governance.policies.authentication.settings import Settings

__all__ = ["Enforcement", "Settings"]
