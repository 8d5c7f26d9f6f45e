"""Signature schemes of inbound webhooks: what a vendor sends beside its body, and what its signature covers.

``standard`` is Standard Webhooks 1.0.0 (``webhook-id``, ``webhook-timestamp``, ``webhook-signature``).
``timestamped`` is one header ``t=…,v1=…`` with HMAC-SHA256 in hex over ``timestamp.body``, as Stripe
sends it; the event's id then stands in the body. A connector whose vendor signs in another way has a
scheme of its own. All of them sign the time, so that a recorded delivery is no use later.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from governance.webhooks.signing import mac, signed_text, standard_key

EVENT_ID = re.compile(r"[!-~]{1,160}")
SECONDS = re.compile(r"[0-9]{1,12}")
MOST_SIGNATURES = 10
"""Nobody rotates among more; each costs a comparison."""


class Unsigned(Exception):
    """The delivery carries no signature that could be judged; the text is one sentence for its sender."""


class Claim(Struct, frozen=True, kw_only=True):
    """What a delivery says of itself, before its signature is judged."""

    at_s: int
    """Unix seconds at which it says that it was signed."""
    signatures: tuple[bytes, ...]
    event_id: str = ""
    """Empty where it stands in the body."""


class Scheme(Protocol):
    """How a vendor signs."""

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that every delivery carries, in lower case."""
        ...

    def key(self, secret: str) -> bytes:
        """The signing key of a configured secret.

        Raises:
            ValueError: it is none of this scheme.
        """
        ...

    def claim(self, headers: Mapping[bytes, bytes]) -> Claim:
        """What the headers say.

        Raises:
            Unsigned: they are missing or malformed.
        """
        ...

    def signed(self, claim: Claim, body: bytes) -> bytes:
        """The text that the signature covers."""
        ...

    def event_id(self, claim: Claim, body: bytes) -> str:
        """The id of the event, once the signature holds.

        Raises:
            Unsigned: the body has none.
        """
        ...

    def forged(self, event_id: str, at_s: int, body: bytes) -> dict[str, str]:
        """The headers of a delivery that is signed with a key which nobody has configured."""
        ...


class StandardWebhooks:
    """Standard Webhooks 1.0.0."""

    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")

    def key(self, secret: str) -> bytes:
        """The bytes behind ``whsec_``."""
        return standard_key(secret)

    def claim(self, headers: Mapping[bytes, bytes]) -> Claim:
        """Id, time and every ``v1`` signature; those of other versions are passed over."""
        event_id, at, given = (_text(headers, name) for name in self.headers)
        if not EVENT_ID.fullmatch(event_id):
            raise Unsigned("webhook-id must be up to 160 printable ASCII characters.")
        signatures: list[bytes] = []
        for one in given.split(" ")[:MOST_SIGNATURES]:
            version, _, text = one.partition(",")
            if version == "v1":
                signatures.append(_base64(text))
        return Claim(event_id=event_id, at_s=_seconds(at, "webhook-timestamp"), signatures=tuple(signatures))

    def signed(self, claim: Claim, body: bytes) -> bytes:
        """``id.timestamp.body``."""
        return signed_text(claim.event_id, claim.at_s, body)

    def event_id(self, claim: Claim, body: bytes) -> str:
        """That of the header, which is signed with the rest."""
        return claim.event_id

    def forged(self, event_id: str, at_s: int, body: bytes) -> dict[str, str]:
        """Well-formed headers with a signature of nobody's."""
        signature = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="
        return dict(zip(self.headers, (event_id, str(at_s), signature), strict=True))


class TimestampedHmac:
    """One header such as ``stripe-signature: t=1700000000,v1=5257a8…``; the event's id is a member of the body."""

    def __init__(self, header: str = "stripe-signature", member: str = "id") -> None:
        self._header = header
        self._member = member

    @property
    def headers(self) -> tuple[str, ...]:
        """The one header."""
        return (self._header,)

    def key(self, secret: str) -> bytes:
        """The secret's own bytes."""
        if len(secret) < 16:
            raise ValueError("A secret of the scheme timestamped has 16 characters or more.")
        return secret.encode()

    def claim(self, headers: Mapping[bytes, bytes]) -> Claim:
        """Time and every ``v1`` signature; other members are passed over."""
        pairs = [part.strip().partition("=") for part in _text(headers, self._header).split(",")[: MOST_SIGNATURES + 1]]
        times = [value for name, _, value in pairs if name == "t"]
        if len(times) != 1:
            raise Unsigned(f"{self._header} must have one t.")
        signatures = tuple(_hex(value) for name, _, value in pairs if name == "v1")
        return Claim(at_s=_seconds(times[0], self._header), signatures=signatures)

    def signed(self, claim: Claim, body: bytes) -> bytes:
        """``timestamp.body``."""
        return b"%d.%b" % (claim.at_s, body)

    def event_id(self, claim: Claim, body: bytes) -> str:
        """The member of the body that names the event."""
        try:
            found: Any = msgspec.json.decode(body, type=dict[str, Any]).get(self._member)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = None
        if not isinstance(found, str) or not EVENT_ID.fullmatch(found):
            raise Unsigned(f"The body has no {self._member} of up to 160 printable ASCII characters.")
        return found

    def forged(self, event_id: str, at_s: int, body: bytes) -> dict[str, str]:
        """A well-formed header with a signature of nobody's."""
        return {self._header: f"t={at_s},v1={mac(b'nobody', body).hex()}"}


SCHEMES: Mapping[str, Scheme] = {"standard": StandardWebhooks(), "timestamped": TimestampedHmac()}


class VendorSchemes:
    """Which scheme each system's connector says that its vendor signs by."""

    def __init__(self) -> None:
        self._schemes: dict[str, Scheme] = {}

    def learn(self, system: str, connector: object) -> None:
        """Remember what the connector behind ``system`` says in ``webhook_scheme``, if it says anything."""
        scheme: Scheme | None = getattr(connector, "webhook_scheme", None)
        if scheme is not None:
            self._schemes[system] = scheme

    def of(self, system: str) -> Scheme:
        """The scheme of the vendor behind ``system``; Standard Webhooks where its connector says nothing."""
        return self._schemes.get(system, SCHEMES["standard"])


def _text(headers: Mapping[bytes, bytes], name: str) -> str:
    value = headers.get(name.encode())
    if value is None:
        raise Unsigned(f"The header {name} is missing.")
    return value.decode("latin-1").strip()


def _seconds(text: str, header: str) -> int:
    if not SECONDS.fullmatch(text):
        raise Unsigned(f"{header} must have the time in whole seconds since 1970.")
    return int(text)


def _base64(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise Unsigned("A signature of version v1 must be base64.") from None


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Unsigned("A signature v1 must be hexadecimal.") from None
