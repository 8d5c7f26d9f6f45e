"""What becomes of a partner's subscription."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from process_apis.events.kind import kind
from system_apis.canonical.values import AccountId, RecordId, Text


@kind("subscription.disabled")
class SubscriptionDisabled(Struct, frozen=True, kw_only=True):
    """Nothing is delivered to a partner's endpoint any more."""

    subscription_id: RecordId
    account_id: AccountId
    reason: Text
    failures: int
    """Attempts in a row that failed."""
    failing_since: datetime | None = None
