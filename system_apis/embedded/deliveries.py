"""What the embedded systems would send if they sent webhooks: ``{"type": …, "timestamp": …, "data": {…}}``.

The form of Standard Webhooks 1.0.0, "Payload structure". A system's connector reads it; members that it
does not know are ignored, as a vendor may add some at any time.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from governance.contract import Delivery, Violation
from governance.contract.refusals import InvalidBody

Data = TypeVar("Data", bound=Struct)
Kind = TypeVar("Kind")


class Payload(Struct, frozen=True, kw_only=True):
    """The envelope."""

    type: str
    timestamp: datetime
    data: msgspec.Raw


class Told(Struct, Generic[Kind, Data], frozen=True, kw_only=True):
    """What a delivery tells."""

    kind: Kind
    at: datetime
    data: Data


def read_delivery(delivery: Delivery, kinds: Mapping[str, Kind], data: type[Data]) -> Told[Kind, Data] | None:
    """What a delivery tells; None where it is of no kind that is known.

    Raises:
        InvalidBody: it is not what such a system sends.
    """
    try:
        payload = msgspec.json.decode(delivery.body, type=Payload)
        if payload.timestamp.tzinfo is None:
            raise msgspec.ValidationError("timestamp has no offset")
        if payload.type not in kinds:
            return None
        return Told(kind=kinds[payload.type], at=payload.timestamp, data=msgspec.json.decode(payload.data, type=data))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidBody((Violation(pointer="", detail=str(error)),)) from None
