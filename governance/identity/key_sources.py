"""Where the keys of an issuer come from, and which of them may verify.

A key is admitted only when it is asymmetric, meant for signatures and strong enough: RFC 8725
§3.1, §3.2, §3.5 and RFC 7517 §4.2. A symmetric key in a published set is ignored, so an HMAC
can never be checked with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from joserfc.jwk import ECKey, Key, OctKey, RSAKey

RSA_BITS = 2048
"""RFC 7518 §3.3: the least size."""

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class KeysUnavailable(Exception):
    """The issuer's keys can't be had now, so nothing can be said of its tokens."""

    def __init__(self, issuer: str, retry_after_s: int) -> None:
        super().__init__(f"the keys of {issuer} are not available")
        self.retry_after_s = retry_after_s


class KeySource(Protocol):
    """The public keys of one issuer."""

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key for a token header's ``kid`` and ``alg``, or None where there is no such key.

        Raises:
            KeysUnavailable: the keys can't be had.
        """
        ...


class OwnKeys:
    """Keys that this process holds itself."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key for a token header's ``kid`` and ``alg``, or None."""
        return choose(self._keys, kid, algorithm)


def choose(keys: Iterable[Key], kid: str | None, algorithm: str) -> Key | None:
    """The one key that fits; without a ``kid`` only where there is no choice."""
    fitting = [key for key in keys if fits(key, algorithm) and kid in (None, key.kid)]
    return fitting[0] if len(fitting) == 1 else None


def fits(key: Key, algorithm: str) -> bool:
    """Whether the key may verify signatures of the algorithm."""
    if isinstance(key, OctKey) or key.get("use") not in (None, "sig"):
        return False
    operations = key.get("key_ops")
    if operations is not None and "verify" not in operations and "sign" not in operations:
        return False
    if not _same_algorithm(key.alg, algorithm):
        return False
    if isinstance(key, RSAKey):
        return algorithm[:2] in ("RS", "PS") and key.public_key.key_size >= RSA_BITS
    if isinstance(key, ECKey):
        return CURVES.get(algorithm) == key.curve_name
    return algorithm in ("Ed25519", "EdDSA") and key.curve_name == "Ed25519"


def _same_algorithm(declared: str | None, used: str) -> bool:
    edwards = ("Ed25519", "EdDSA")  # two names of one algorithm on this curve (RFC 9864)
    return declared is None or declared == used or (declared in edwards and used in edwards)
