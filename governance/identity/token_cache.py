"""Verified tokens, remembered until they expire: the least recently used go first.

Only what verified is kept, so bad tokens can't push good ones out. One cache holds one audience.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from governance.call import Clock
from governance.identity.issuers import Identity


class TokenCache:
    """Up to ``capacity`` identities by the bytes of their token."""

    def __init__(self, clock: Clock, capacity: int) -> None:
        self._now = clock.now
        self._capacity = capacity
        self._entries: OrderedDict[bytes, tuple[Identity, datetime]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: bytes) -> Identity | None:
        """The identity that this token proved and still proves, or None."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry[1] <= self._now():
            del self._entries[token]
            return None
        self._entries.move_to_end(token)
        return entry[0]

    def put(self, token: bytes, identity: Identity, until: datetime) -> None:
        """Remember a verified token ``until`` it expires."""
        self._entries[token] = (identity, until)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Remember none."""
        self._entries.clear()
