"""The assembly: services made in the order of the graph, each with the bindings it needs.

Runs once at start-up. Everything that can be wrong with a wiring is wrong here, with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, get_args

from msgspec import Struct

from governance.bindings.chain import Link
from governance.bindings.local import Mode, local, local_stub
from governance.bindings.remote import HopClient, HopCredentials, remote_stub
from governance.bindings.routes import Routes
from governance.bindings.served import WireLimits, served
from governance.bindings.stub import Stub
from governance.call.clock import Clock
from governance.call.exchange import Handler
from governance.call.policy import Policy
from governance.contract.contract import api_of
from governance.contract.errors import ContractError
from governance.contract.graph import Node, is_contract
from governance.contract.operation import Operation, Tier


class Wiring(Struct, frozen=True, kw_only=True):
    """How this process is put together."""

    tiers: frozenset[Tier]
    """The tiers that run here."""
    placement: Mapping[Tier, str]
    """Base URL of the process that runs a tier which does not run here."""
    policies: Sequence[Policy]
    clock: Clock
    limits: WireLimits
    mode: Mode
    client: HopClient
    credentials: HopCredentials | None


class Assembly:
    """The running APIs of one process: their routes, chains and services."""

    def __init__(self, nodes: Sequence[Node], wiring: Wiring, resources: Mapping[Any, Any]) -> None:
        """Make every service of this process's tiers.

        ``resources`` maps a type to the object injected for it.

        Raises:
            ContractError: a constructor asks for something that is not there, or a tier has no place.
        """
        self._wiring = wiring
        self._resources = resources
        self._nodes = {node.api.id: node for node in nodes}
        self._handlers: dict[Operation, Handler] = {}
        self.routes = Routes()
        self.chains: dict[tuple[Operation, str], tuple[Link, ...]] = {}
        self.services: dict[str, object] = {}
        """API id to its service."""
        for node in nodes:
            if node.api.tier in wiring.tiers:
                self._make(node)
        self.routes.seal()

    @property
    def policies(self) -> Sequence[Policy]:
        """What governs every operation here."""
        return self._wiring.policies

    def stub(self, caller_id: str, contract: type[Any], needs: Sequence[Operation]) -> Stub:
        """The object through which ``caller_id`` calls ``needs`` of a contract, here or elsewhere."""
        callee = self._nodes[api_of(contract).id].api
        if callee.tier in self._wiring.tiers:
            return local_stub(caller_id, callee, needs, self._handlers, self._wiring.clock, self._wiring.mode)
        base_url = self._wiring.placement.get(callee.tier)
        if not base_url or self._wiring.credentials is None:
            raise ContractError(
                f"{caller_id} calls {callee.id}, and the {callee.tier} tier has no place: "
                f'write {callee.tier} = "http://host:port" under [placement] of tiergate.toml.'
            )
        wiring = self._wiring
        return remote_stub(caller_id, callee, needs, base_url, wiring.client, self._wiring.credentials, wiring.clock)

    def _make(self, node: Node) -> None:
        arguments = {name: self._injected(node, name, annotation) for name, annotation in node.takes.items()}
        service = node.service(**arguments)
        self.services[node.api.id] = service
        wiring = self._wiring
        for operation in node.api.operations:
            handler, chain = served(operation, service, wiring.policies, wiring.clock, wiring.limits)
            self.routes.add(operation, handler)
            self.chains[operation, "served"] = chain
            handler, chain = local(operation, service, wiring.policies, wiring.clock)
            self._handlers[operation] = handler
            self.chains[operation, "local"] = chain
            for policy in wiring.policies:
                for beside, own in policy.beside(operation):
                    handler, self.chains[beside, "served"] = served(
                        beside, own, wiring.policies, wiring.clock, wiring.limits
                    )
                    self.routes.add(beside, handler)

    def _injected(self, node: Node, name: str, annotation: Any) -> Any:
        if is_contract(annotation):
            needs = [operation for operation in node.needs if operation.api_id == api_of(annotation).id]
            return self.stub(node.api.id, annotation, needs)
        if annotation in self._resources:
            return self._resources[annotation]
        members = get_args(annotation)
        if NoneType in members:  # left out where nothing is there for it
            return next((self._resources[member] for member in members if member in self._resources), None)
        raise ContractError(
            f"{node.service.__qualname__}.__init__: nothing is there to inject for {name}: "
            f"{getattr(annotation, '__qualname__', annotation)}."
        )
