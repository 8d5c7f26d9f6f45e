"""Probes are sent as they say, and what comes back is held to what they promise."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from governance.call import ManualClock
from governance.prove import Prober, ProbeTokens, Proof, Reply
from tests.governance.prove.sample_desk import POST, Doorkeeper

pytestmark = pytest.mark.anyio


class Gate:
    """A gateway that keeps every promise of the doorkeeper, or lets everybody through."""

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.asked: list[tuple[Mapping[str, str], bytes | None]] = []

    async def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        assert (method, target) == ("POST", "/system/desks/v1/desks")
        self.asked.append((headers, body))
        status, problem = self._judged({name.lower(): value for name, value in headers.items()}, body)
        if not self.keeps or not problem:
            return Reply(status=201)
        text = msgspec.json.encode({"type": f"/problems/{problem}", "title": "No."})
        return Reply(status=status, headers={"content-type": "application/problem+json"}, body=text)

    def _judged(self, headers: Mapping[str, str], body: bytes | None) -> tuple[int, str]:
        if "authorization" not in headers:
            return 401, "nobody"
        if headers.get("idempotency-key", "odd") == "odd":
            return 400, "key"
        if body == b"{}":
            return 422, "body"
        same = [
            one for one in self.asked if one[0] == headers or one[0].get("Authorization") == headers["authorization"]
        ]
        return (429, "often") if len(same) > 2 and "DK-005" in headers["authorization"] else (201, "")


def prober(gate: Gate) -> Prober:
    def sign(claims: Mapping[str, object]) -> str:
        return str(claims["client_id"])

    return Prober(gate, ProbeTokens(sign=sign, issuer="http://gate", clock=ManualClock()))


async def proofs(*, keeps: bool, most_repeats: int = 3) -> dict[str, Proof]:
    found = await prober(Gate(keeps=keeps)).prove(POST, [Doorkeeper()], most_repeats=most_repeats)
    return {proof.control: proof for proof in found}


async def test_kept_promises_are_held() -> None:
    found = await proofs(keeps=True)
    assert [name for name, proof in found.items() if not proof.held] == []
    assert sorted(found) == ["DK-001", "DK-002", "DK-003", "DK-004", "DK-005"]


async def test_broken_promises_say_what_came() -> None:
    found = await proofs(keeps=False)
    assert [name for name, proof in found.items() if proof.held] == []
    assert str(found["DK-001"]) == "DK-001 desks.v1.post_desk: Nobody: 201, not 401 nobody"


async def test_probes_that_spend_a_burst_are_left_out_unless_asked_for() -> None:
    assert "DK-005" not in await proofs(keeps=True, most_repeats=1)


def test_an_answer_that_is_no_problem_has_none() -> None:
    assert Reply(status=200, headers={"content-type": "application/json"}, body=b"{}").problem == ""
