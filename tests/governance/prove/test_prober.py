"""Probes are sent as they say, without effect, and what comes back is held to what they promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import pytest

from governance.call import ManualClock, Probe, TokenKind
from governance.contract.operation import Operation
from governance.prove import Prober, Proof, Reply, Unprovable
from tests.governance.prove.sample_desk import GET, POST

pytestmark = pytest.mark.anyio
VALID = Probe(control="T-1", title="Valid", expect_status=204, expect_headers=(("tiergate-probe", "reached"),))


class Names:
    """Tokens that are their own description."""

    def token(self, kind: TokenKind, operation: Operation, client: str = "", scopes: Iterable[str] = ()) -> str | None:
        if kind == "not-yet":
            raise Unprovable("nobody can")
        return None if kind == "none" else f"{kind} {client} {' '.join(scopes)}".strip()


class Gate:
    """Answers what it was told, and remembers what it was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = []
        self.waited: list[float] = []

    async def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        self.asked.append((method, target, headers, body))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    async def proofs(self, operation: Operation, *probes: Probe, **how: Any) -> list[Proof]:
        prober = Prober(self, Names(), clock=ManualClock(), sleep=self.wait, **how)
        return (await prober.prove(operation, probes))[0]


def refusal(status: int, problem: str, **headers: str) -> Reply:
    text = msgspec.json.encode({"type": f"/problems/{problem}", "title": "No."})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"content-type": "application/problem+json", **named}, body=text)


REACHED = Reply(status=204, headers={"tiergate-probe": "reached"})


async def test_a_write_carries_the_header_that_keeps_it_from_running() -> None:
    gate = Gate(REACHED)
    (proof,) = await gate.proofs(POST, VALID)
    assert proof.held
    method, target, headers, body = gate.asked[0]
    assert (method, target) == ("POST", "/system/desks/v1/desks")
    assert headers["Tiergate-Probe"] == "reach"
    assert headers["Authorization"] == "Bearer valid  governance:prove"
    assert headers["Idempotency-Key"].startswith('"prove-run-desks.v1.post_desk-T-1')
    assert body


async def test_a_read_runs_in_full() -> None:
    gate = Gate(Reply(status=200))
    (proof,) = await gate.proofs(GET, Probe(control="T-2", title="Read", expect_status=0))
    assert proof.held
    assert "Tiergate-Probe" not in gate.asked[0][2]


@pytest.mark.parametrize("reply", [Reply(status=200), refusal(204, "x"), refusal(404, "not-found")])
async def test_what_was_not_promised_has_failed_and_is_told(reply: Reply) -> None:
    (proof,) = await Gate(reply).proofs(POST, VALID)
    assert proof.outcome == "failed"
    assert str(reply.status) in proof.seen
    assert "no tiergate-probe" in proof.seen


async def test_a_header_that_must_not_be_there_is_told() -> None:
    probe = Probe(control="T-3", title="No mark", expect_status=204, expect_headers=(("idempotency-replayed", ""),))
    marked = Reply(status=204, headers={"idempotency-replayed": "true"})
    (proof,) = await Gate(marked).proofs(POST, probe)
    assert (proof.outcome, proof.seen) == ("failed", "204; idempotency-replayed: true")


@pytest.mark.parametrize(
    ("reply", "held"),
    [
        (Reply(status=200), True),
        (refusal(404, "not-found"), True),
        (refusal(404, "unknown-path"), False),
        (refusal(403, "insufficient-scope"), False),
        (Reply(status=500), False),
    ],
)
async def test_an_answer_of_the_operation_is_no_refusal_of_the_gateway(reply: Reply, held: bool) -> None:
    (proof,) = await Gate(reply).proofs(GET, Probe(control="T-4", title="Read", expect_status=0))
    assert proof.held == held


async def test_what_can_not_be_forged_is_unproved_with_its_reason() -> None:
    gate = Gate(REACHED)
    (proof,) = await gate.proofs(GET, Probe(control="T-5", title="Early", expect_status=401, token="not-yet"))
    assert (proof.outcome, proof.seen) == ("unproved", "unproved: nobody can")
    assert not gate.asked


async def test_a_crowded_gateway_is_waited_for() -> None:
    gate = Gate(refusal(429, "rate-limited", retry_after="3"), REACHED)
    (proof,) = await gate.proofs(POST, VALID)
    assert proof.held
    assert gate.waited == [3.0]


async def test_a_gateway_that_stays_crowded_leaves_it_unproved() -> None:
    (proof,) = await Gate(refusal(503, "unavailable", retry_after="1")).proofs(POST, VALID)
    assert proof.outcome == "unproved"


async def test_first_requests_share_the_key_and_must_hold() -> None:
    again = Probe(control="T-6", title="Again", expect_status=204, first=(VALID,))
    gate = Gate(REACHED)
    assert [proof.held for proof in await gate.proofs(POST, again)] == [True]
    assert len({asked[2]["Idempotency-Key"] for asked in gate.asked}) == 1
    (proof,) = await Gate(Reply(status=200)).proofs(POST, again)
    assert (proof.control, proof.outcome) == ("T-1", "failed")


async def test_another_payload_is_another_valid_request() -> None:
    gate = Gate(REACHED)
    await gate.proofs(POST, VALID, msgspec.structs.replace(VALID, other_payload=True))
    first, second = (msgspec.json.decode(asked[3] or b"") for asked in gate.asked)
    assert first != second
    assert first["account_id"] == second["account_id"]


async def test_an_effect_is_asked_for_only_in_full() -> None:
    effect = Probe(control="T-7", title="Runs", expect_status=0, effect=True)
    gate = Gate(Reply(status=201))
    assert await gate.proofs(POST, effect) == []
    assert [proof.held for proof in await gate.proofs(POST, effect, full=True)] == [True]
    assert "Tiergate-Probe" not in gate.asked[0][2]


async def test_another_account_is_named_where_samples_name_theirs() -> None:
    gate = Gate(REACHED)
    await gate.proofs(POST, VALID, account="GLOBEX")
    assert msgspec.json.decode(gate.asked[0][3] or b"")["account_id"] == "GLOBEX"


SPENT = Probe(control="T-8", title="Spent", expect_status=429, expect_type="rate-limited", until_spent=True)


def admitted(burst: int) -> Reply:
    return Reply(status=204, headers={"ratelimit-policy": f'"system";q={burst};w=600'})


@pytest.mark.parametrize(("calls", "held"), [(2, False), (3, True), (4, False)])
async def test_exactly_the_announced_burst_is_admitted(calls: int, held: bool) -> None:
    gate = Gate(*[admitted(3)] * calls, refusal(429, "rate-limited"))
    (proof,) = await gate.proofs(POST, SPENT)
    assert proof.held == held
    assert len(gate.asked) <= 5
    assert "prover-burst:" in gate.asked[0][2]["Authorization"]


async def test_a_large_burst_is_left_alone() -> None:
    gate = Gate(admitted(1000))
    (proof,) = await gate.proofs(POST, SPENT)
    assert proof.outcome == "unproved"
    assert len(gate.asked) == 1


def test_an_answer_that_is_no_problem_has_none() -> None:
    assert Reply(status=200, headers={"content-type": "application/json"}, body=b"{}").problem == ""
    assert Reply(status=400, headers={"content-type": "application/problem+json"}, body=b"{").problem == ""
