"""The proof sees one fault of each group, in an operation where it can be planted; `make mutants` plants all."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.mutants.faults.registry import Mutant, faults, mutants
from tests.mutants.table import DOCUMENT, rows, written
from tests.mutants.world import World, running

pytestmark = [pytest.mark.anyio, pytest.mark.expects_unexpected]
OPERATIONS = ("crm.v1.create_case", "crm.v1.get_case")
GROUPS = sorted({fault.group for fault in faults()})


@pytest.fixture(scope="module")
async def world(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with running(tmp_path_factory.mktemp("mutants")) as found:
        yield found


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Mutants fail in every way."""
    logger = logging.getLogger("tiergate")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(level)


def some(world: World, group: str) -> list[Mutant]:
    """The second fault of a group: the first is mostly a policy that is not there at all."""
    operations = [world.operations[name] for name in OPERATIONS]
    return [one for one in mutants(operations, world.arguments) if one.fault.group == group][1:3]


@pytest.mark.parametrize("name", OPERATIONS)
async def test_the_whole_gateway_has_no_gap(world: World, name: str) -> None:
    assert [str(proof) for proof in await world.prove(None, world.operations[name]) if not proof.held] == []


@pytest.mark.parametrize("group", GROUPS)
async def test_a_planted_fault_is_seen(world: World, group: str) -> None:
    planted = some(world, group)
    assert planted
    for fault, operation in planted:
        proofs = await world.prove(fault, operation)
        assert [proof.control for proof in proofs if not proof.held], (fault.name, operation.id)


def test_the_table_names_every_fault() -> None:
    said = DOCUMENT.read_text()
    assert [fault.name for fault in faults() if f"| {fault.name} |" not in said] == []
    assert "survived" not in said


def test_a_survivor_is_told() -> None:
    table = rows(
        [("wire", "a fault", "one.v1.get", frozenset({"WI-001"})), ("wire", "a fault", "two.v1.get", frozenset())]
    )
    assert (table[0].planted, table[0].survived) == (2, ("two.v1.get",))
    assert "**survived** in two.v1.get" in written(table)
    assert "1 of 2 planted faults (1 kinds) were caught." in written(table)
