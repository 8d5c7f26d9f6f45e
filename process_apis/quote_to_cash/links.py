"""Signed links by which a customer without an account here answers one revision of one quote.

A link's token is ours alone: HMAC-SHA-256 (RFC 2104) over quote, revision and expiry under a key that signs
nothing else, so it is good for this purpose and no other. A token that was not made here, or is for another
purpose, reads as nothing at all: there is no telling why. It is used up by the quote's first answer, which
the flow keeps once.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime

import msgspec
from msgspec import Struct

from process_apis.flow.timeline import instant, microseconds

SIGNATURE_BYTES = 32
PURPOSE = b"answer one revision of a quote, v1\0"


class LinkedQuote(Struct, frozen=True, array_like=True):
    """What a link is for."""

    quote_id: str
    revision: int
    expires_us: int

    @property
    def expires_at(self) -> datetime:
        """When the link is worth nothing any more."""
        return instant(self.expires_us)


READ = msgspec.msgpack.Decoder(LinkedQuote)


class QuoteLinks:
    """Makes and reads links under one secret key, which every process of the gateway shares."""

    def __init__(self, key: bytes, page: str) -> None:
        self._key = key
        self._page = page

    def link(self, quote_id: str, revision: int, expires_at: datetime) -> str:
        """The URL to send: the token is in its fragment, which no server on the way is told (RFC 3986 §3.5)."""
        return f"{self._page}#{self.token(quote_id, revision, expires_at)}"

    def token(self, quote_id: str, revision: int, expires_at: datetime) -> str:
        """The token of a link."""
        payload = msgspec.msgpack.encode(LinkedQuote(quote_id, revision, microseconds(expires_at)))
        return urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, token: str) -> LinkedQuote | None:
        """What a token is for; None when it was not made here. Whether it has expired is the caller's to judge."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raw = b""
        signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(payload)):
            return None
        return READ.decode(payload)

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, PURPOSE + payload, hashlib.sha256)
