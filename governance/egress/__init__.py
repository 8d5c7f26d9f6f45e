"""The one way out: every HTTP call that the gateway makes leaves through here.

A connector asks for a ``VendorClient`` in its constructor and gets the one of its system, or for a
``MailClient`` where the system is a mail server. Tiers that run apart are called by the
``HopClient``, addresses that users supplied by the ``GuardedClient``.
"""

from governance.egress.egress import Egress
from governance.egress.exchange import Caching, Outgoing, Reply
from governance.egress.guard import ForbiddenDestination
from governance.egress.guarded import GuardedClient
from governance.egress.mail import MailClient, MailRefused, MailServer
from governance.egress.settings import EgressSettings, VendorSettings
from governance.egress.vendor import VendorClient

__all__ = [
    "Caching",
    "Egress",
    "EgressSettings",
    "ForbiddenDestination",
    "GuardedClient",
    "MailClient",
    "MailRefused",
    "MailServer",
    "Outgoing",
    "Reply",
    "VendorClient",
    "VendorSettings",
]
