"""Every policy keeps what it promises, on every operation of a running gateway."""

from __future__ import annotations

import pytest

from governance.contract.operation import TIERS
from governance.prove import Prober
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, OPERATIONS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", EVERY)
async def test_every_probe_holds(served: Served, name: str) -> None:
    proofs = await Prober(served.send, served.tokens).prove(served.operations[name], served.policies)
    assert len(proofs) >= 5
    assert not [str(proof) for proof in proofs if not proof.held]


@pytest.mark.parametrize("tier", TIERS)
async def test_a_spent_burst_is_refused_in_every_tier(served: Served, tier: str) -> None:
    operation = next(one for one in served.operations.values() if one.tier == tier and one.safe)
    limiting = [policy for policy in served.policies if policy.name == "rate_limit"]
    proofs = await Prober(served.send, served.tokens).prove(operation, limiting, most_repeats=61)
    assert [proof.control for proof in proofs] == ["RL-001"]
    assert all(proof.held for proof in proofs), str(proofs[0])


def test_governance_knows_each_control_by_one_name(served: Served) -> None:
    titles: dict[str, set[str]] = {}
    for policy in served.policies:
        for probe in policy.prove(OPERATIONS[EVERY[0]]):
            titles.setdefault(probe.control, set()).add(probe.title)
    assert all(len(said) == 1 for said in titles.values())
