"""What the audit says of one call: who did what to which record, on whose behalf, and how it ended.

A person is named by a reference only (see ``subjects``): erasing what the reference stands for leaves
the entry, and every hash over it, as it was.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class AuditEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call that changed something, or that was not allowed to."""

    at: datetime
    """When it ended, UTC."""
    operation: str
    binding: str
    """``served`` for a call from outside, ``local`` for one between APIs of a process."""
    outcome: str
    """``ok``, or the type of the problem."""
    request_id: str = ""
    client: str = ""
    """Empty where nobody was identified."""
    subject: str = ""
    """A reference to the person behind the call; empty where the client acts for itself."""
    acting_api: str = ""
    accounts: tuple[str, ...] = ()
    """Whose records they were, as far as the arguments say."""
    records: tuple[str, ...] = ()
    """Ids of the records, from the path and from what was made."""
    idempotency: str = ""
    """``recorded``, ``replayed`` and so on, where the operation takes a key."""
    duration_ms: float = 0.0
