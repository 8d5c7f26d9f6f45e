"""The deprecation report: what is going away, and which consumers still call it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from msgspec import Struct

from governance.consumers import Consumers
from governance.contract.operation import Api
from governance.policies.lifecycle import Uses


class UseRow(Struct, frozen=True, kw_only=True):
    """One consumer's use of one operation."""

    client_id: str
    name: str
    """The API's or the consumer's name; empty for a client that no consumer table names."""
    contact: str
    count: int
    last_used: datetime


class DeprecationRow(Struct, frozen=True, kw_only=True):
    """One operation that is going or gone."""

    operation: str
    stage: str
    since: date | None
    sunset: date | None
    successor: str
    uses: tuple[UseRow, ...]


async def deprecation_rows(apis: Iterable[Api], uses: Uses, consumers: Consumers) -> tuple[DeprecationRow, ...]:
    """The rows, the nearest sunset first.

    Raises:
        StoreError: the store of the uses does not answer.
    """
    found = [
        operation
        for api in apis
        for operation in api.operations
        if operation.lifecycle.stage in ("deprecated", "retired")
    ]
    rows: list[DeprecationRow] = []
    for operation in sorted(found, key=lambda one: (one.lifecycle.sunset_at, one.id)):
        life = operation.lifecycle
        used = [_use_row(use.client_id, use.count, use.last_used, consumers) for use in await uses.of(operation.id)]
        rows.append(
            DeprecationRow(
                operation=operation.id,
                stage=life.stage,
                since=life.since,
                sunset=life.sunset,
                successor=life.successor,
                uses=tuple(used),
            )
        )
    return tuple(rows)


def _use_row(client_id: str, count: int, last_used: datetime, consumers: Consumers) -> UseRow:
    consumer = consumers.get(client_id)
    name, contact = (consumer.name, consumer.contact) if consumer else ("", "")
    return UseRow(client_id=client_id, name=name, contact=contact, count=count, last_used=last_used)
