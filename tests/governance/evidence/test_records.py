"""Records leave no operation and control out; the summary counts each once, by its worst."""

from __future__ import annotations

from tests.governance.evidence.samples import records, summary
from tests.governance.prove.sample_desk import GET, POST


def test_a_control_that_asks_nothing_of_an_operation_is_said_to() -> None:
    found = {(one.operation, one.control, one.outcome) for one in records() if one.control.startswith(("AU", "ID"))}
    assert found == {
        (GET.id, "AU-001", "held"),
        (POST.id, "AU-001", "failed"),
        (POST.id, "ID-001", "held"),
        (POST.id, "ID-001", "unproved"),
        (GET.id, "ID-001", "not-applicable"),
    }


def test_findings_stand_beside_for_the_chosen_operations_only() -> None:
    found = {(one.operation, one.control): one.outcome for one in records() if one.control.startswith("OW")}
    assert found == {(POST.id, "OW-002"): "noted", (GET.id, "OW-009"): "failed"}


def test_every_record_says_where_the_operation_is_declared() -> None:
    assert {one.declared_at.rpartition(":")[0] for one in records()} == {"tests/governance/prove/sample_desk.py"}


def test_the_summary_counts_operations_by_their_worst() -> None:
    rows = {
        row.control: (row.held, row.failed, row.unproved, row.not_applicable, row.noted) for row in summary().controls
    }
    assert rows == {
        "AU-001": (1, 1, 0, 0, 0),
        "ID-001": (0, 0, 1, 1, 0),
        "OW-002": (0, 0, 0, 0, 1),
        "OW-009": (0, 1, 0, 0, 0),
    }
    assert (summary().operations, summary().proofs, summary().failed, summary().unproved) == (2, 5, 2, 1)
    assert summary().gaps
