"""Lists: a page of items with an opaque, signed cursor to the next (keyset, never offset).

A cursor binds contract version, operation and filters, so one that was taken from another list,
tampered with or kept over a change of filters is refused instead of giving a wrong page.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from governance.contract.problems import Violation
from governance.contract.refusals import InvalidParameters

Item = TypeVar("Item")
Limit = Annotated[int, Meta(ge=1, le=200, description="How many items at most.")]
Cursor = Annotated[
    str, Meta(max_length=1_000, pattern=r"^[A-Za-z0-9_-]+$", description="`next_cursor` of the page before.")
]
SIGNATURE_BYTES = 16


class Page(Struct, Generic[Item], frozen=True):
    """Some items, and where to go on; no ``next_cursor`` on the last page."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


class CursorCodec:
    """Makes and reads cursors under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, operation_id: str, filters: tuple[object, ...], last_key: tuple[str | int, ...]) -> str:
        """The cursor that continues after ``last_key`` in the list of these filters."""
        payload = msgspec.msgpack.encode(last_key)
        signature = self._sign(operation_id, filters, payload)
        return urlsafe_b64encode(signature + payload).rstrip(b"=").decode()

    def decode(
        self, operation_id: str, filters: tuple[object, ...], cursor: str | None
    ) -> tuple[str | int, ...] | None:
        """The key after which the page begins; None for the first page.

        Raises:
            InvalidParameters: the cursor was not made by this list with these filters.
        """
        if cursor is None:
            return None
        try:
            raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raw = b""
        signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._sign(operation_id, filters, payload)):
            detail = "is not a cursor of this list with these filters; start again without it"
            raise InvalidParameters((Violation(parameter="cursor", detail=detail),))
        return msgspec.msgpack.decode(payload, type=tuple[str | int, ...])

    def page(
        self,
        operation_id: str,
        filters: tuple[object, ...],
        rows: Sequence[Item],
        limit: int,
        key_of: Callable[[Item], tuple[str | int, ...]],
    ) -> Page[Item]:
        """The page of ``rows``, of which up to ``limit`` + 1 were read to learn whether there are more."""
        items = tuple(rows[:limit])
        more = len(rows) > limit
        return Page(items, self.encode(operation_id, filters, key_of(items[-1])) if more else None)

    def _sign(self, operation_id: str, filters: tuple[object, ...], payload: bytes) -> bytes:
        message = msgspec.msgpack.encode((operation_id, filters, payload))
        return hmac.digest(self._key, message, hashlib.sha256)[:SIGNATURE_BYTES]
