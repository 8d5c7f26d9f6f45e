"""A return that ended without its goods, asked for anew: the same wish, with other lines where it was wrong."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from process_apis.returns.record import Line, ReturnRecord


class Correction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was wrong with the wish; None: that was right."""

    lines: tuple[Line, ...] | None = None
    by: str = ""
    """Whose it is; the flow sets it."""


def renewed(goods: ReturnRecord, return_id: str, body: bytes) -> ReturnRecord:
    """The first state of a corrected return. Raises ``msgspec.ValidationError`` for what is no correction."""
    correction = msgspec.json.decode(body, type=Correction) if body else Correction()
    lines = correction.lines or tuple(Line(sku=line.sku, quantity=line.quantity) for line in goods.lines)
    return ReturnRecord(
        return_id=return_id,
        account_id=goods.account_id,
        order_id=goods.order_id,
        sales_order_id=goods.sales_order_id,
        reason=goods.reason,
        note=goods.note,
        lines=lines,
        status="requested",
        stage="requested",
        requested_at=goods.requested_at,
        updated_at=goods.updated_at,
        warehouse=goods.warehouse,
        requested_by=goods.requested_by,
        corrected_by=tuple(sorted({*goods.corrected_by, correction.by} - {""})),
    )
