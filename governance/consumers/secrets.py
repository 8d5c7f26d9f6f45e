"""Client secrets: what is kept of them, and how they are compared.

A secret that comes from the environment or a file is kept as its digest under a key that only this
process knows; what an operator stores is a scrypt hash (RFC 7914). A secret that scrypt accepted
once is remembered as such a digest, so that the next token request does not pay for it again.
Comparisons take the same time wherever the difference is.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from secrets import token_bytes

from governance.consumers.errors import ConsumerError

SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1
SALT_BYTES, HASH_BYTES = 16, 32
MOST_MEMORY = 64 * 1024 * 1024
PREFIX = "scrypt:"

_process_key = token_bytes(32)


class Secret:
    """One secret of a client, never shown."""

    __slots__ = ("_digest", "_hash")

    def __init__(self, *, digest: bytes = b"", scrypt_hash: str = "") -> None:
        self._digest = digest
        self._hash = _parsed(scrypt_hash) if scrypt_hash else None

    @classmethod
    def known(cls, secret: str) -> Secret:
        """A secret that this process was given in the clear."""
        return cls(digest=_digest(secret))

    @classmethod
    def hashed(cls, scrypt_hash: str) -> Secret:
        """A secret of which only the hash that ``hash_secret`` made is known.

        Raises:
            ConsumerError: it is not such a hash.
        """
        return cls(scrypt_hash=scrypt_hash)

    def recognises(self, candidate: str) -> bool:
        """Whether ``candidate`` is known to be the secret: given in the clear, or accepted before. Costs nothing."""
        return hmac.compare_digest(_digest(candidate), self._digest)

    def matches(self, candidate: str) -> bool:
        """Whether ``candidate`` is the secret; some 50 ms of CPU where only a hash is known."""
        if self.recognises(candidate):
            return True
        if self._hash is None:
            return False
        (n, r, p), salt, expected = self._hash
        actual = hashlib.scrypt(candidate.encode(), salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY, dklen=len(expected))
        if not hmac.compare_digest(actual, expected):
            return False
        self._digest = _digest(candidate)
        return True

    def __repr__(self) -> str:
        return "***"


def hash_secret(secret: str) -> str:
    """What to write into tiergate.toml in place of the secret: ``scrypt:n:r:p:salt:hash``."""
    salt = token_bytes(SALT_BYTES)
    derived = hashlib.scrypt(
        secret.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=MOST_MEMORY, dklen=HASH_BYTES
    )
    parts = (SCRYPT_N, SCRYPT_R, SCRYPT_P, b64encode(salt).decode(), b64encode(derived).decode())
    return PREFIX + ":".join(map(str, parts))


def _digest(secret: str) -> bytes:
    return hmac.digest(_process_key, secret.encode(), hashlib.sha256)


def _parsed(text: str) -> tuple[tuple[int, int, int], bytes, bytes]:
    try:
        n, r, p, salt, derived = text.removeprefix(PREFIX).split(":")
        cost = (int(n), int(r), int(p))
        raw = b64decode(salt, validate=True), b64decode(derived, validate=True)
    except (ValueError, Base64Error) as error:
        raise ConsumerError("A scrypt hash must read scrypt:n:r:p:salt:hash.") from error
    weak = cost[0] < SCRYPT_N or len(raw[0]) < SALT_BYTES or len(raw[1]) < HASH_BYTES
    if not text.startswith(PREFIX) or weak or 128 * cost[0] * cost[1] > MOST_MEMORY // 2:
        least = f"n from {SCRYPT_N}, a salt of {SALT_BYTES} and a hash of {HASH_BYTES} bytes"
        raise ConsumerError(f"A scrypt hash needs {least}.")
    return cost, raw[0], raw[1]
