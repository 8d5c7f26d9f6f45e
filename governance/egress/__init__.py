"""The one way out: every HTTP call that the gateway makes leaves through here.

A connector asks for a ``VendorClient`` in its constructor and gets the one of its system. Tiers that
run apart are called by the ``HopClient``. Addresses that users supplied go through ``Guard``.
"""

from governance.egress.egress import Egress
from governance.egress.exchange import Caching, Outgoing, Reply
from governance.egress.settings import EgressSettings, VendorSettings
from governance.egress.vendor import VendorClient

__all__ = ["Caching", "Egress", "EgressSettings", "Outgoing", "Reply", "VendorClient", "VendorSettings"]
