"""Answers of events v1. This version owns all of them.

Standard: CloudEvents 1.0.2, §3.1 (attributes) and its JSON event format 1.0.2; the extension
``sequence`` of its Sequence document.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from system_apis.canonical.values import AccountId

EVENT_ID = re.compile(r"evt-[a-z2-7]{26}", re.ASCII)
EventId = Annotated[
    str, Meta(pattern=f"^{EVENT_ID.pattern}$", description="Identifier of an event.", examples=["evt-" + "a" * 26])
]
EventTypes = Annotated[
    str,
    Meta(
        pattern=r"^[a-z_]+\.([a-z_]+|\*)(,[a-z_]+\.([a-z_]+|\*)){0,19}$",
        description="Words such as `order.accepted`, whole families such as `order.*`, or a list of them.",
        examples=["order.accepted"],
    ),
]


class CloudEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened, as a CloudEvent in the JSON format."""

    specversion: Literal["1.0"]
    id: EventId
    """The same whenever and wherever this event is read."""
    source: str
    """Where it comes from: `/process`, or a system API."""
    type: str
    """Such as `tiergate.order.accepted.v1`; its data is described in `/openapi/events/order.accepted/v1.json`."""
    subject: str
    """The id of what it happened to, such as an order."""
    time: datetime
    """When it was written."""
    sequence: str
    """The place among the events of its subject, in digits that sort as text; no number is left out."""
    datacontenttype: Literal["application/json"]
    account_id: AccountId | None = field(default=None, name="accountid")
    """Whose it is; left out where it is nobody's."""
    data: msgspec.Raw
    """What happened, in the words of its type."""
