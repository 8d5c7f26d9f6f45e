"""Changes: what happened to the records of a system, in the order in which it happened.

A change says that something happened to a record; whoever acts on it asks for the record, which alone
is true. So changes that come late, or several as one, do no harm.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

ChangePosition = Annotated[int, Meta(ge=0, le=2**53, description="The place of the last change that you have read.")]
ChangeLimit = Annotated[int, Meta(ge=1, le=500, description="How many changes at most.")]
NAMES_RECORDS = "A change names a record and no account; who reads the record is judged there."
ChangeKind = Literal["price", "stock", "invoice", "shipment", "payment", "account", "quote", "channel_order"]


class Change(Struct, frozen=True, kw_only=True):
    """One change of a record."""

    position: int
    kind: ChangeKind
    record_id: str
    """An SKU, an account, or the number of a document."""
    place: str = ""
    """The warehouse of a stock level."""


class Changes(Struct, frozen=True, kw_only=True):
    """Some changes, oldest first."""

    items: tuple[Change, ...]
    position: int
    """Go on after it. Lower than what was asked for: the system counts anew, so go on from here."""
