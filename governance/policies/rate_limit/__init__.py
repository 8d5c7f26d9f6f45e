"""Rate limit: how often a client may call. See ``enforcement`` for what it guarantees."""

from governance.policies.rate_limit.enforcement import Enforcement
from governance.policies.rate_limit.limit import RateLimit
from governance.policies.rate_limit.quota import Quota
from governance.policies.rate_limit.settings import Plans, Settings

__all__ = ["Enforcement", "Plans", "Quota", "RateLimit", "Settings"]
