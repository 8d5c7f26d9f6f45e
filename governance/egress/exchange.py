"""What a connector asks for and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Struct

from governance.contract.refusals import SystemUnavailable

T = TypeVar("T")


class Caching(Struct, frozen=True, kw_only=True):
    """How long an answer may be kept: ``fresh_s`` as it is, ``stale_s`` beyond that where the vendor fails."""

    fresh_s: float
    stale_s: float = 0.0
    tags: tuple[str, ...] = ()
    """What the answer is about, such as ``product:BRG-6204``; an event about it makes it void."""


class Outgoing(Struct, frozen=True, kw_only=True):
    """One request to a vendor."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    key: str = ""
    """What makes a write safe to repeat at the vendor; sent as ``Idempotency-Key``. Without it a write is sent once."""
    caching: Caching | None = None
    endpoint: str = ""
    """What shares a breaker; empty for everything at the same origin."""

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice has the effect of once."""
        return bool(self.key) or self.method in ("GET", "HEAD")


class Reply(Struct, frozen=True, kw_only=True):
    """A whole answer. Header names are lower-case; repeated ones are joined (RFC 9110 §5.3)."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    stale: bool = False
    """It is kept from earlier, beyond its time, because the vendor can't answer."""

    @property
    def ok(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300

    def read(self, kind: type[T]) -> T:
        """The JSON body as ``kind``.

        Raises:
            SystemUnavailable: the status is no success, or the body is something else.
        """
        if not self.ok:
            raise SystemUnavailable(detail=f"A system behind the gateway answers with status {self.status}.")
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise SystemUnavailable(detail="A system behind the gateway answers what can't be read.") from error
