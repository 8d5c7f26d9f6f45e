"""Who may call whom: every edge that is not allowed, with its sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct

from governance.contract import Contract, ContractError, api_of, operation_of, read
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import Node, constructor_types, graph, is_contract


class Thing(Struct, frozen=True):
    name: str


def api(tier: str, name: str, version: int = 1) -> type[Any]:
    """A contract with two operations, in a folder of its own."""

    class Things(Contract, Protocol, owner="Tests", folder=f"{tier}_apis.{name}.v{version}"):
        """Things."""

        @read("/things", scope="things.all:read", public_because="Sample.")
        async def get(self) -> Thing:
            """A thing."""
            ...

        @read("/other-things", scope="things.all:read", public_because="Sample.")
        async def get_other(self) -> Thing:
            """Another thing."""
            ...

    return Things


def service(contract: type[Any], *callees: type[Any], needs: tuple[Any, ...] | None = None) -> DiscoveredApi:
    """An implementation that takes its callees and needs ``get`` of each, or what ``needs`` says."""

    class Service(contract):
        async def get(self) -> Thing:
            return Thing("t")

        async def get_other(self) -> Thing:
            return Thing("o")

    if callees:
        takes = {f"callee_{number}": callee for number, callee in enumerate(callees)}
        exec(f"def constructor(self, {', '.join(takes)}): ...", globals(), namespace := {})
        constructor: Any = namespace["constructor"]
        constructor.__annotations__ = takes
        Service.__init__ = constructor
    Service.needs = tuple(callee.get for callee in callees) if needs is None else needs
    return DiscoveredApi(api=api_of(contract), service=Service, folder=Path())


def ids(nodes: tuple[Node, ...]) -> list[str]:
    return [node.api.id for node in nodes]


def refused(*apis: DiscoveredApi, grants: dict[str, Any] | None = None) -> str:
    with pytest.raises(ContractError) as caught:
        graph(apis, grants)
    return str(caught.value)


def test_callees_come_before_their_callers() -> None:
    erp, catalogue, orders, portal = (
        api("system", "zerp"),
        api("process", "b"),
        api("process", "a"),
        api("experience", "portal"),
    )
    nodes = graph([service(portal, orders), service(orders, catalogue, erp), service(catalogue, erp), service(erp)])
    assert ids(nodes) == ["zerp.v1", "b.v1", "a.v1", "portal.v1"]
    assert nodes[1].needs == (operation_of(erp.get),)
    assert nodes[1].takes == {"callee_0": erp}


def test_the_order_does_not_depend_on_how_the_folders_were_read() -> None:
    erp, crm, one = api("system", "erp"), api("system", "crm"), api("process", "one")
    apis = [service(erp), service(crm), service(one, erp, crm)]
    assert ids(graph(apis)) == ids(graph(apis[::-1])) == ["crm.v1", "erp.v1", "one.v1"]


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        (("system", "a"), ("system", "b")),
        (("system", "a"), ("process", "b")),
        (("system", "a"), ("experience", "b")),
        (("process", "a"), ("experience", "b")),
        (("experience", "a"), ("system", "b")),
        (("experience", "a"), ("experience", "b")),
        (("process", "a", 2), ("process", "a", 1)),
        (("process", "a", 1), ("process", "a", 3)),
        (("system", "a", 2), ("system", "a", 1)),
        (("process", "a"), ("process", "a")),
    ],
)
def test_all_other_edges_are_refused(caller: tuple[Any, ...], callee: tuple[Any, ...]) -> None:
    above, below = api(*caller), api(*callee)
    apis = (service(above, below), service(below)) if caller != callee else (service(above, above),)
    sentence = refused(*apis)
    assert f"{api_of(above).id} ({caller[0]}) may not call {api_of(below).id} ({callee[0]})" in sentence
    assert "version n may adapt n+1 of the same API" in sentence


@pytest.mark.parametrize("tier", ["system", "process", "experience"])
def test_a_version_may_adapt_the_next(tier: str) -> None:
    old, new = api(tier, "a", 1), api(tier, "a", 2)
    assert ids(graph([service(old, new), service(new)])) == ["a.v2", "a.v1"]


def test_process_apis_call_each_other_without_a_circle() -> None:
    one, two, three = (api("process", name) for name in ("one", "two", "three"))
    assert ids(graph([service(one, two), service(two, three), service(three)])) == ["three.v1", "two.v1", "one.v1"]
    sentence = refused(service(one, two), service(two, three), service(three, one))
    assert "one.v1 → two.v1 → three.v1 → one.v1 is a circle" in sentence


def test_a_need_without_its_folder_is_named() -> None:
    above, below = api("process", "a"), api("system", "b")
    assert refused(service(above, below)) == "a.v1 needs b.v1.get, and no folder holds b.v1."


def test_a_need_that_is_not_injected_is_named() -> None:
    above, below = api("process", "a"), api("system", "b")
    sentence = refused(service(above, needs=(below.get,)), service(below))
    assert "needs b.v1.get but its constructor does not take" in sentence


def test_an_injected_contract_of_which_nothing_is_needed_is_named() -> None:
    above, below = api("process", "a"), api("system", "b")
    assert "takes b.v1 and needs nothing of it: list operations in needs" in refused(
        service(above, below, needs=()), service(below)
    )


def test_a_need_that_is_no_operation_is_named() -> None:
    above, below = api("process", "a"), api("system", "b")
    with pytest.raises(TypeError, match="is not an operation: name a decorated method of a contract"):
        graph([service(above, below, needs=(print,)), service(below)])


def test_grants_only_narrow() -> None:
    above, below = api("process", "a"), api("system", "b")
    apis = (service(above, below, needs=(below.get, below.get_other)), service(below))
    assert [len(node.needs) for node in graph(apis)] == [0, 2]
    (narrowed,) = [node for node in graph(apis, {"a.v1": ["b.v1.get"]}) if node.needs]
    assert narrowed.needs == (operation_of(below.get),)
    assert [node.needs for node in graph(apis, {"a.v1": []})] == [(), ()]
    few = (service(above, below), service(below))
    sentence = refused(*few, grants={"a.v1": ["b.v1.get", "b.v1.get_other"]})
    assert sentence == "[grants] gives a.v1 b.v1.get_other: grants can only narrow its needs."
    assert refused(*few, grants={"c.v1": []}) == "[grants] names c.v1, which is no API here."


def test_what_is_injected_is_known_by_its_type() -> None:
    contract = api("system", "b")
    found = service(contract)
    assert constructor_types(found.service) == {}
    found.service()
    assert constructor_types(found.service) == {}
    assert is_contract(contract)
    assert not is_contract(found.service)
    assert not is_contract(str)
    assert not is_contract("b")
