"""The clients of the gateway: who they are, what they may do and which plan they are on."""

from governance.consumers.catalogue import GOVERNANCE, GOVERNANCE_SCOPES, ScopeCatalogue
from governance.consumers.consumer import Consumer
from governance.consumers.declared import load_consumers
from governance.consumers.demo import demo_consumers, demo_secret
from governance.consumers.errors import ConsumerError
from governance.consumers.plans import Plan
from governance.consumers.registry import Consumers
from governance.consumers.roles import Role, Selection
from governance.consumers.secrets import Secret, hash_secret

__all__ = [
    "GOVERNANCE",
    "GOVERNANCE_SCOPES",
    "Consumer",
    "ConsumerError",
    "Consumers",
    "Plan",
    "Role",
    "ScopeCatalogue",
    "Secret",
    "Selection",
    "demo_consumers",
    "demo_secret",
    "hash_secret",
    "load_consumers",
]
