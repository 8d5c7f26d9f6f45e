"""Which control has something to ask of which operation, said apart from the code that asks."""

from __future__ import annotations

from types import NoneType

import msgspec

from governance.contract import Operation

EVERYWHERE = (
    *(f"AU-{number:03}" for number in range(1, 16)),
    *("CO-001", "CO-002", "SC-001", "SC-002", "RL-001", "RL-002"),
    *(f"DO-{number:03}" for number in range(1, 7)),
    *(f"HD-{number:03}" for number in range(1, 10)),
    *("WI-001", "WI-002", "WI-004", "WI-005", "WI-006", "WI-010"),
)
KEYED = tuple(f"ID-{number:03}" for number in range(1, 8))
WITH_BODY = tuple(f"WI-{number:03}" for number in range(16, 24))
WRITES = ("AD-002", "AD-003", "AD-004")
DELIVERIES = (
    *(f"WH-{number:03}" for number in range(1, 5)),
    *(f"HD-{number:03}" for number in (1, 2, 3, 7, 8, 9)),
    *(f"DO-{number:03}" for number in (1, 2, 3, 5)),
)


def controls_of(operation: Operation) -> frozenset[str]:
    """The controls that must ask something of this operation; some others may."""
    if operation.inbound:
        return frozenset(DELIVERIES)
    found = {*EVERYWHERE, *(("AD-001", "WI-003") if operation.safe else WRITES)}
    found |= set(KEYED) if operation.keyed else set()
    found |= set(WITH_BODY) if operation.body else {"WI-015"}
    where = {parameter.where for parameter in operation.parameters}
    found |= {"WI-012"} if "path" in where else set()
    found |= {"WI-013"} if "query" in where else set()
    return frozenset(found | ({"OW-001"} if _owned(operation) else set()))


def never_of(operation: Operation) -> frozenset[str]:
    """The controls that can't ask anything of this operation."""
    if operation.inbound:
        return frozenset({"AU-001", "SC-001", "RL-001", "AD-001", "OW-001", *WRITES, *KEYED, *WITH_BODY})
    found = set(WRITES) if operation.safe else {"AD-001"}
    found |= {"WH-001", "WH-002", "WH-003", "WH-004"}
    found |= set() if operation.keyed else set(KEYED)
    found |= {"WI-015"} if operation.body else set(WITH_BODY)
    return frozenset(found)


def _owned(operation: Operation) -> bool:
    """Whether the request names an account, or reads one record that does."""
    fields = set(operation.visibility.fields)
    named = {parameter.name for parameter in operation.parameters}
    body = operation.body.type if operation.body else None
    named |= {field.name for field in msgspec.structs.fields(body)} if body else set()
    return bool(fields & named) or (bool(fields) and operation.kind == "read" and operation.result is not NoneType)
