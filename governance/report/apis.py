"""The API report: every version with its owner, operations, policies and callers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from governance.bindings.chain import Link
from governance.contract.graph import Node
from governance.contract.operation import Operation

Chains = Mapping[tuple[Operation, str], tuple[Link, ...]]


class OperationRow(Struct, frozen=True, kw_only=True):
    """One operation and the chain in front of it, outermost first."""

    id: str
    method: str
    path: str
    scope: str
    visible_by: tuple[str, ...]
    public_because: str
    keyed: bool
    served_chain: tuple[str, ...]
    """Empty where the tier runs in another process."""
    local_chain: tuple[str, ...]
    called_by: tuple[str, ...]


class ApiRow(Struct, frozen=True, kw_only=True):
    """One API version."""

    tier: str
    api: str
    version: int
    lifecycle: str
    owner: str
    summary: str
    operations: tuple[OperationRow, ...]
    called_by: tuple[str, ...]
    calls: tuple[str, ...]


def api_rows(nodes: Iterable[Node], chains: Chains | None = None) -> tuple[ApiRow, ...]:
    """The rows of a graph, tier by tier; ``chains`` of this process's assembly where there is one."""
    found = tuple(nodes)
    order = {"experience": 0, "process": 1, "system": 2}
    rows = [_row(node, found, chains or {}) for node in found]
    return tuple(sorted(rows, key=lambda row: (order[row.tier], row.api, row.version)))


def _row(node: Node, nodes: tuple[Node, ...], chains: Chains) -> ApiRow:
    own = set(node.api.operations)
    return ApiRow(
        tier=node.api.tier,
        api=node.api.name,
        version=node.api.version,
        lifecycle=node.api.lifecycle.stage,
        owner=node.api.owner,
        summary=node.api.summary,
        operations=tuple(_operation_row(operation, nodes, chains) for operation in node.api.operations),
        called_by=tuple(sorted(one.api.id for one in nodes if own.intersection(one.needs))),
        calls=tuple(sorted({operation.api_id for operation in node.needs})),
    )


def _operation_row(operation: Operation, nodes: tuple[Node, ...], chains: Chains) -> OperationRow:
    return OperationRow(
        id=operation.id,
        method=operation.method,
        path=operation.path,
        scope=operation.scope,
        visible_by=operation.visibility.fields,
        public_because=operation.visibility.public_because,
        keyed=operation.keyed,
        served_chain=_names(chains.get((operation, "served"), ())),
        local_chain=_names(chains.get((operation, "local"), ())),
        called_by=tuple(sorted(node.api.id for node in nodes if operation in node.needs)),
    )


def _names(chain: tuple[Link, ...]) -> tuple[str, ...]:
    return tuple(f"{link.stage.name.lower()}:{link.name}" for link in chain)
