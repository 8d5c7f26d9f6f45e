"""Proofs of two operations of the sample desks, as a run leaves them."""

from __future__ import annotations

from governance.call import Finding
from governance.evidence import Build, Record, Summary, records_of, summary_of
from governance.evidence.record import Observed
from governance.prove import Outcome, Proof
from tests.governance.prove.sample_desk import GET, POST

BUILD = Build(version="1.0", contracts="c" * 64)
TIME = "2026-01-01T00:00:00Z"


def proof(operation: str, control: str, outcome: Outcome, case: str = "") -> Observed:
    one = Proof(
        control=control, operation_id=operation, title=f"{control} holds", case=case,
        expected="401", seen="401" if outcome == "held" else "200", outcome=outcome,
    )  # fmt: skip
    return Observed(time=TIME, proof=one)


def records() -> list[Record]:
    observed = [
        proof(GET.id, "AU-001", "held"),
        proof(POST.id, "AU-001", "failed"),
        proof(POST.id, "ID-001", "held", "one"),
        proof(POST.id, "ID-001", "unproved", "another"),
    ]
    findings = [
        Finding(id="OW-002", operation_id=POST.id, detail="weak", severity="warning"),
        Finding(id="OW-009", operation_id=GET.id, detail="wrong"),
        Finding(id="OW-009", operation_id="others.v1.not_chosen", detail="wrong"),
    ]
    return list(records_of("run-1", BUILD, [GET, POST], observed, findings, time=TIME))


def summary() -> Summary:
    return summary_of(records(), url="http://gate", began=TIME, ended=TIME, requests=4, run="run-1", build=BUILD)
