"""Lifecycle: what goes away says so in time. See ``enforcement`` for what it guarantees."""

from governance.policies.lifecycle.enforcement import Apis, Enforcement
from governance.policies.lifecycle.settings import Settings
from governance.policies.lifecycle.uses import DeprecatedUse, Uses

__all__ = ["Apis", "DeprecatedUse", "Enforcement", "Settings", "Uses"]
