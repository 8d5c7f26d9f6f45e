"""What only subscriptions refuse."""

from __future__ import annotations

from governance.contract import Refusal


class DestinationRefused(Refusal, status=422, type="destination-refused", title="The URL can't be delivered to."):
    """It is not https, leads into a network that is not public, or nowhere; ``detail`` says which."""
