"""Who calls whom: the edges between API versions, judged at start.

Allowed: experience to process, process to system, process to process without a cycle, and an
adapter of version n over n+1 of the same API. Everything else is refused with a sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from msgspec import Struct

from governance.contract.contract import api_of
from governance.contract.discovery import DiscoveredApi
from governance.contract.errors import ContractError
from governance.contract.operation import Api, Operation, operation_of


class Node(Struct, frozen=True, kw_only=True, eq=False):
    """One API version in the graph: its service, what it calls, and what its constructor takes."""

    api: Api
    service: type[Any]
    needs: tuple[Operation, ...]
    takes: Mapping[str, Any]
    """Constructor parameter to its annotation."""


def graph(apis: Iterable[DiscoveredApi], grants: Mapping[str, Iterable[str]] | None = None) -> tuple[Node, ...]:
    """The nodes in an order in which every callee comes before its callers.

    ``grants`` narrows what an API may call: API id to operation ids.

    Raises:
        ContractError: an edge is not allowed, a need is not injected, or process APIs form a cycle.
    """
    found = tuple(apis)
    by_id = {one.api.id: one.api for one in found}
    _succeeded(by_id)
    nodes = [_node(one, by_id, grants or {}) for one in found]
    unknown = set(grants or {}) - set(by_id)
    if unknown:
        raise ContractError(f"[grants] names {', '.join(sorted(unknown))}, which is no API here.")
    return _ordered(nodes)


def _succeeded(by_id: Mapping[str, Api]) -> None:
    """What takes the place of something that goes must be there, and stay."""
    lives = {api.id: api.lifecycle for api in by_id.values()}
    operations = [operation for api in by_id.values() for operation in api.operations]
    lives |= {operation.id: operation.lifecycle for operation in operations}
    for name, life in lives.items():
        if not life.successor:
            continue
        successor = lives.get(life.successor)
        if successor is None:
            raise ContractError(
                f"{name} names the successor {life.successor}, which is neither API nor operation here."
            )
        if successor.stage not in ("preview", "current"):
            raise ContractError(f"{name} names the successor {life.successor}, which is {successor.stage} itself.")


def constructor_types(service: type[Any]) -> dict[str, Any]:
    """The annotated parameters of a service's constructor; none where it has none of its own.

    Raises:
        ContractError: one has no annotation, so nothing can be injected.
    """
    constructor = service.__init__
    owner = next(one for one in service.__mro__ if "__init__" in vars(one))
    if constructor is object.__init__ or getattr(owner, "_is_protocol", False):  # typing gives Protocols an __init__
        return {}
    hints = get_type_hints(constructor)
    names = list(inspect.signature(constructor).parameters)[1:]
    for name in names:
        if name not in hints:
            raise ContractError(f"{service.__qualname__}.__init__: {name} has no type, so nothing can be injected.")
    return {name: hints[name] for name in names}


def is_contract(annotation: Any) -> bool:
    """Whether an annotation is a contract class."""
    return isinstance(annotation, type) and "__api__" in vars(annotation)


def _node(one: DiscoveredApi, by_id: Mapping[str, Api], grants: Mapping[str, Iterable[str]]) -> Node:
    takes = constructor_types(one.service)
    needs = tuple(operation_of(method) for method in getattr(one.service, "needs", ()))
    injected = {api_of(annotation).id for annotation in takes.values() if is_contract(annotation)}
    for operation in needs:
        callee = by_id.get(operation.api_id)
        if callee is None:
            raise ContractError(f"{one.api.id} needs {operation.id}, and no folder holds {operation.api_id}.")
        _allow(one.api, callee)
        if operation.lifecycle.stage == "retired":
            raise ContractError(f"{one.api.id} needs {operation.id}, which is retired: use what succeeds it.")
        if callee.id not in injected:
            raise ContractError(
                f"{one.service.__qualname__} needs {operation.id} but its constructor does not take "
                f"{callee.contract.__qualname__}."
            )
    needed = {operation.api_id for operation in needs}
    for api_id in injected - needed:
        raise ContractError(
            f"{one.service.__qualname__} takes {api_id} and needs nothing of it: list operations in needs."
        )
    return Node(api=one.api, service=one.service, needs=_granted(one.api, needs, grants), takes=takes)


def _granted(api: Api, needs: tuple[Operation, ...], grants: Mapping[str, Iterable[str]]) -> tuple[Operation, ...]:
    if api.id not in grants:
        return needs
    allowed = set(grants[api.id])
    extra = allowed - {operation.id for operation in needs}
    if extra:
        raise ContractError(f"[grants] gives {api.id} {', '.join(sorted(extra))}: grants can only narrow its needs.")
    return tuple(operation for operation in needs if operation.id in allowed)


def _allow(caller: Api, callee: Api) -> None:
    step = (caller.tier, callee.tier)
    if step in {("experience", "process"), ("process", "system")}:
        return
    if caller.name == callee.name and caller.tier == callee.tier and callee.version == caller.version + 1:
        return
    if step == ("process", "process") and caller.name != callee.name:
        return
    raise ContractError(
        f"{caller.id} ({caller.tier}) may not call {callee.id} ({callee.tier}): experience calls process, "
        "process calls process and system, and version n may adapt n+1 of the same API."
    )


def _ordered(nodes: list[Node]) -> tuple[Node, ...]:
    by_id = {node.api.id: node for node in nodes}
    done: dict[str, Node] = {}

    def visit(node: Node, path: tuple[str, ...]) -> None:
        if node.api.id in done:
            return
        if node.api.id in path:
            circle = " → ".join((*path[path.index(node.api.id) :], node.api.id))
            raise ContractError(f"{circle} is a circle: process APIs may not call each other in one.")
        for callee in sorted({operation.api_id for operation in node.needs}):
            visit(by_id[callee], (*path, node.api.id))
        done[node.api.id] = node

    for node in sorted(nodes, key=lambda node: node.api.id):
        visit(node, ())
    return tuple(done.values())
