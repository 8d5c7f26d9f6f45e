"""Claims in the store: who works on a key, and what came out.

A claim has a lease and a fencing token of 128 random bits. Every change compares the token inside
one atomic script, so a holder whose lease ran out can neither record, renew nor release what
another holds by now. Claim and record are one round trip each. Times are the store's own.
"""

from __future__ import annotations

import os
from typing import Literal

from msgspec import Struct

from governance.store import Script, Store

PACKAGE = "governance.policies.idempotency"
CLAIM = Script[int | bytes].load(PACKAGE, "claim.lua")
RECORD = Script[int].load(PACKAGE, "record.lua")
RENEW = Script[int].load(PACKAGE, "renew.lua")
RELEASE = Script[int].load(PACKAGE, "release.lua")
LOOK = Script[tuple[bytes, int, bytes]].load(PACKAGE, "look.lua")

CLAIMED, REUSED = 1, 2


class InFlight(Struct, frozen=True):
    """Another request holds the key, for at most ``rest_ms`` milliseconds more unless it is still at work."""

    rest_ms: int


class Settled(Struct, frozen=True):
    """The first request ended with ``status`` at ``at`` (Unix seconds); forgotten after ``rest_ms`` milliseconds."""

    status: int
    at: int
    rest_ms: int


class Claims:
    """The claims of all served edges that share a store."""

    def __init__(self, store: Store, *, lease_s: int) -> None:
        store.prepare(CLAIM, RECORD, RENEW, RELEASE, LOOK)
        self._store = store
        self.lease_s = lease_s
        self._lease_ms = b"%d" % (lease_s * 1000)

    async def claim(self, key: bytes, fingerprint: bytes) -> Claim | InFlight | Literal["reused"] | bytes:
        """The claim, if the key was free; else why not, or the outcome that is stored under it.

        Raises:
            StoreError: the store failed; whether the key is claimed now is unknown, for one lease at most.
        """
        token = os.urandom(16)
        reply = await self._store.run(CLAIM, (key,), (token, fingerprint, self._lease_ms))
        if isinstance(reply, bytes):
            return reply
        if reply == CLAIMED:
            return Claim(self._store, key, token, self._lease_ms)
        return "reused" if reply == REUSED else InFlight(-reply)

    async def look(self, key: bytes) -> InFlight | Settled | None:
        """What stands under the key; None for nothing.

        Raises:
            StoreError: the store failed.
        """
        state, rest_ms, ended = await self._store.run(LOOK, (key,), ())
        if not state:
            return None
        return Settled(int(ended[10:]), int(ended[:10]), rest_ms) if ended else InFlight(rest_ms)


class Claim:
    """A key that this process holds, as far as it knows."""

    __slots__ = ("_key", "_lease_ms", "_store", "_token")

    def __init__(self, store: Store, key: bytes, token: bytes, lease_ms: bytes) -> None:
        self._store = store
        self._key = key
        self._token = token
        self._lease_ms = lease_ms

    async def record(self, outcome: bytes | None, *, status: int, retention_s: int) -> bool:
        """Store the outcome, or that there was one (None); False when the claim is no longer ours: nothing was stored.

        Raises:
            StoreError: the store failed.
        """
        state = b"d" if outcome is None else b"a"
        arguments = (self._token, outcome or b"", b"%d" % (retention_s * 1000), state, b"%03d" % status)
        return await self._store.run(RECORD, (self._key,), arguments) == 1

    async def renew(self) -> bool:
        """Hold on for another lease; False when the claim is no longer ours.

        Raises:
            StoreError: the store failed.
        """
        return await self._store.run(RENEW, (self._key,), (self._token, self._lease_ms)) == 1

    async def release(self) -> bool:
        """Free the key for the next try; False when the claim was no longer ours.

        Raises:
            StoreError: the store failed; the lease frees the key.
        """
        return await self._store.run(RELEASE, (self._key,), (self._token,)) == 1
