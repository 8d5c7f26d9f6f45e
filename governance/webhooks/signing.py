"""Signing keys and signatures of webhooks, for what comes in as for what goes out.

Standard: Standard Webhooks 1.0.0, "Signature scheme": HMAC-SHA256 over ``id.timestamp.body``, in base64
behind ``v1,``; a secret is base64 behind ``whsec_``, of 24 to 64 bytes.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from secrets import token_bytes

PREFIX = "whsec_"
LEAST_BYTES = 24
MOST_BYTES = 64
OWN_BYTES = 32


def new_secret() -> str:
    """A secret that nobody has had before."""
    return PREFIX + b64encode(token_bytes(OWN_BYTES)).decode()


def standard_key(secret: str) -> bytes:
    """The bytes of a ``whsec_`` secret, with or without its prefix and padding.

    Raises:
        ValueError: it is no such secret; the text does not show it.
    """
    text = secret.removeprefix(PREFIX).rstrip("=")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (NotBase64, ValueError):
        raise ValueError("A secret of Standard Webhooks is base64 behind whsec_.") from None
    if not LEAST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"A secret of Standard Webhooks has {LEAST_BYTES} to {MOST_BYTES} bytes.")
    return key


def signed_text(event_id: str, at_s: int, body: bytes) -> bytes:
    """What a signature of Standard Webhooks is made over."""
    return b"%b.%d.%b" % (event_id.encode(), at_s, body)


def standard_signature(keys: Iterable[bytes], event_id: str, at_s: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one signature for each key that is valid now."""
    text = signed_text(event_id, at_s, body)
    return " ".join(f"v1,{b64encode(mac(key, text)).decode()}" for key in keys)


def mac(key: bytes, text: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, text, hashlib.sha256)


def matches(keys: Iterable[bytes], text: bytes, given: Iterable[bytes]) -> bool:
    """Whether one of the signatures is of one of the keys; how long it takes tells nothing of either."""
    given = tuple(given)
    found = False
    for key in keys:
        wanted = mac(key, text)
        for signature in given:
            found |= hmac.compare_digest(wanted, signature)
    return found
