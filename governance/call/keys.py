"""Derived idempotency keys: one client key becomes one key per effect, the same on every retry.

``base32(sha256(parent, operation, step, revision))[:26]`` (130 bits). The parts are joined with a
zero byte, which none of them can hold, so two different tuples never read the same.
"""

from __future__ import annotations

import hashlib
from itertools import product

KEY_LENGTH = 26
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PAIRS = tuple(map("".join, product(ALPHABET, repeat=2)))
"""Two base32 digits (RFC 4648 §6) for every 10 bits: the library's encoder takes three times as long."""
SHIFTS = tuple(range(256 - 10, 256 - 10 * (KEY_LENGTH // 2) - 1, -10))


def derive_key(*parts: str | int) -> str:
    """A 26-character key (A–Z, 2–7) that depends on every part and on their order."""
    joined = "\0".join(map(str, parts)).encode("utf-8", "surrogatepass")  # a token may hold half a character
    number = int.from_bytes(hashlib.sha256(joined).digest())
    return "".join([PAIRS[(number >> shift) & 1023] for shift in SHIFTS])


def edge_key(client_id: str, account: str, operation_id: str, key: str) -> str:
    """The key that a client's own ``Idempotency-Key`` stands for: two clients never share one."""
    return derive_key("edge", client_id, account, operation_id, key)


def child_key(parent: str, operation_id: str, step: str, revision: int = 0) -> str:
    """The key of one effect under ``parent``; ``revision`` rises when the step's undo ran."""
    return derive_key(parent, operation_id, step, revision)
