"""What a customer changes about an order that is not released yet."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from msgspec import Meta, Struct

from process_apis.order_to_fulfillment.v1 import model as fulfillment
from system_apis.canonical.values import AccountId, Address


class AmendedLine(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of a line are wanted now."""

    line_no: Annotated[int, Meta(ge=1, le=200)]
    quantity: Annotated[int, Meta(ge=0, le=1_000_000, description="0: the line is not wanted any more.")]


class OrderAmendment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about an order; what is left out stays as it is."""

    lines: Annotated[tuple[AmendedLine, ...], Meta(max_length=200)] = ()
    ship_to: Address | None = None
    requested_on: date | None = None

    def __post_init__(self) -> None:
        if not self.lines and self.ship_to is None and self.requested_on is None:
            raise ValueError("say what is to be different: lines, ship_to or requested_on")
        if len({line.line_no for line in self.lines}) != len(self.lines):
            raise ValueError("each line can be amended once")


def wish_of(amendment: OrderAmendment, account_id: AccountId, if_match: str | None) -> fulfillment.OrderAmendment:
    """The amendment as order operations take it, for the revision that was read; any where that is ``*``.

    A tag that no order has stands for revision 0, which no order has either.
    """
    revision = int(if_match) if if_match is not None and if_match.isascii() and if_match.isdecimal() else None
    return fulfillment.OrderAmendment(
        account_id=account_id,
        lines=tuple(fulfillment.AmendedLine(line_no=line.line_no, quantity=line.quantity) for line in amendment.lines),
        ship_to=amendment.ship_to,
        requested_on=amendment.requested_on,
        revision=revision if if_match in (None, "*") or revision is not None else 0,
    )
