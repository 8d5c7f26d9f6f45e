"""An event: one thing that happened to one subject, never changed once it is written.

Its ``type`` is a word of the taxonomy such as ``order.accepted``, and ``version`` the version of
the Struct that its ``data`` is. Events of one subject have the sequence 1, 2, 3 … in the order in
which they happened.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct


class NewEvent(Struct, frozen=True, kw_only=True):
    """An event to be written."""

    type: str
    """Such as ``order.accepted``."""
    subject: str
    """The id of what it happened to: an order, a quote, a product …"""
    data: Struct
    """A Struct of the taxonomy."""
    account_id: str | None = None
    """Whose it is; None: nobody's, which only callers that see all accounts are shown."""
    version: int = 1
    """The version of ``data``'s Struct."""
    source: str = "/process"
    """Where it comes from, a path such as ``/system/erp/v1``."""
    source_id: str | None = None
    """What the source calls it: the second event of the same source and source id is not written."""


class Event(Struct, frozen=True, kw_only=True):
    """An event as it is in the log."""

    position: int
    """Its place in the log; a reader that goes by it misses nothing and sees nothing twice."""
    event_id: str
    type: str
    version: int
    subject: str
    sequence: int
    account_id: str | None
    source: str
    at: datetime
    data: msgspec.Raw
    """The JSON of its Struct."""
