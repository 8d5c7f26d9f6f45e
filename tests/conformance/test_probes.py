"""Every policy keeps what it promises, on every operation of a running gateway."""

from __future__ import annotations

import pytest

from governance.prove import Prober
from governance.prove.published import Published
from governance.prove.run import Subject, prove_operation
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY

pytestmark = pytest.mark.anyio
EVERYWHERE = {"AU-001", "AU-005", "SC-001", "RL-001", "WI-001", "HD-001", "DO-001", "CO-001"}


@pytest.fixture(scope="module")
def subject(served: Served) -> Subject:
    return Subject(apis=served.apis, policies=served.policies)


@pytest.fixture(scope="module")
async def published(served: Served, subject: Subject) -> Published:
    found = Published(served.send)
    await found.load(subject.apis, ("system", "process", "experience"))
    return found


@pytest.mark.parametrize("name", EVERY)
async def test_every_control_holds(served: Served, subject: Subject, published: Published, name: str) -> None:
    prober = Prober(served.send, served.tokens)
    proofs = await prove_operation(subject, served.operations[name], prober, published)
    assert {proof.control for proof in proofs} >= EVERYWHERE
    assert not [str(proof) for proof in proofs if not proof.held]


def test_governance_knows_each_control_by_one_name(subject: Subject) -> None:
    titles: dict[str, set[str]] = {}
    for operation in subject.operations:
        for probe in subject.probes(operation):
            titles.setdefault(probe.control, set()).add(probe.title)
    assert {control: said for control, said in titles.items() if len(said) != 1} == {}
