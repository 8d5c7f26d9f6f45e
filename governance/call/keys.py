"""Derived idempotency keys: one client key becomes one key per effect, the same on every retry.

``base32(sha256(parent, operation, step, revision))[:26]`` (130 bits). The parts are joined with a
zero byte, which none of them can hold, so two different tuples never read the same.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode

KEY_LENGTH = 26


def derive_key(*parts: str | int) -> str:
    """A 26-character key (A–Z, 2–7) that depends on every part and on their order."""
    joined = "\0".join(map(str, parts)).encode()
    return b32encode(hashlib.sha256(joined).digest())[:KEY_LENGTH].decode()


def edge_key(client_id: str, account: str, operation_id: str, key: str) -> str:
    """The key that a client's own ``Idempotency-Key`` stands for: two clients never share one."""
    return derive_key("edge", client_id, account, operation_id, key)


def child_key(parent: str, operation_id: str, step: str, revision: int = 0) -> str:
    """The key of one effect under ``parent``; ``revision`` rises when the step's undo ran."""
    return derive_key(parent, operation_id, step, revision)
