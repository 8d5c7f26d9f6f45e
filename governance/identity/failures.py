"""A token bucket per peer for credentials that failed, in this process alone.

It stands before cryptography: a peer that keeps sending bad credentials is refused without work.
A whole IPv6 network of 64 bits is one peer, since one host can have every address in it.
The number of peers remembered is bounded; the one that failed longest ago is forgotten first.
"""

from __future__ import annotations

import math
from collections import OrderedDict

from governance.call import Clock
from governance.wire.peer import site


class PeerFailures:
    """Up to ``burst`` failures at once per peer, and ``per_second`` more as time passes."""

    def __init__(self, clock: Clock, *, burst: int = 200, per_second: float = 50.0, peers: int = 10_000) -> None:
        self._clock = clock
        self._burst = burst
        self._per_second = per_second
        self._peers = peers
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, peer: str) -> int:
        """Whole seconds until the peer may try again; 0 where it may now."""
        entry = self._spent.get(site(peer))
        if entry is None:
            return 0
        over = self._level(entry) + 1 - self._burst
        return math.ceil(over / self._per_second) if over > 0 else 0

    def record(self, peer: str) -> None:
        """Count one failure of the peer."""
        peer = site(peer)
        entry = self._spent.pop(peer, None)
        level = self._level(entry) if entry else 0.0
        self._spent[peer] = (level + 1, self._clock.monotonic())
        if len(self._spent) > self._peers:
            self._spent.popitem(last=False)

    def forget(self, peer: str) -> None:
        """Count the peer's failures no more: it has shown that it knows better."""
        self._spent.pop(site(peer), None)

    def _level(self, entry: tuple[float, float]) -> float:
        level, at = entry
        return max(0.0, level - (self._clock.monotonic() - at) * self._per_second)
