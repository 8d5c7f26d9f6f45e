"""``tiergate prove`` on gateways that are really served: green on the whole one, red on a faulty one, honest elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from gateway.cli import tiergate
from gateway.cli.failure import Failure
from governance.contract.discovery import discover_apis
from tests.gateway.proving.applicable import controls_of, never_of
from tests.gateway.proving.conftest import Proved, Served
from tests.gateway.proving.faulty_gateway import OPEN

OPERATIONS = {one.id: one for found in discover_apis() for one in found.api.operations}
ONE_OF_EACH_KIND = {(one.tier, one.kind): name for name, one in OPERATIONS.items()}


def covered(proved: Proved, operations: Iterable[str]) -> None:
    """Every operation has every control: held where it must ask something, not applicable where it can't."""
    cells: dict[tuple[str, str], set[str]] = {}
    for record in proved.records:
        if record["title"] != "Static finding":
            cells.setdefault((record["operation"], record["control"]), set()).add(record["outcome"])
    controls = {control for _, control in cells}
    missing = {(name, control) for name in operations for control in controls} - set(cells)
    assert not missing
    for name in operations:
        applicable, never = controls_of(OPERATIONS[name]), never_of(OPERATIONS[name])
        assert {control for control in applicable if cells.get((name, control)) != {"held"}} == set(), name
        assert {one for one in never & controls if cells[name, one] != {"not-applicable"}} == set(), name
    assert {name for name, _ in cells} == set(operations)


def test_every_control_of_one_operation_of_each_kind_holds(whole: Served) -> None:
    chosen = sorted(ONE_OF_EACH_KIND.values())
    proved = whole.prove(*(part for name in chosen for part in ("--operation", name)))
    assert proved.exit_code == 0, proved.output
    covered(proved, chosen)
    assert f"{len(chosen)} operations" in proved.output
    assert "all held" in proved.output


def test_deliveries_are_proved_by_what_a_stranger_can_send(whole: Served) -> None:
    proved = whole.prove("--operation", "*.receive_event")
    assert proved.exit_code == 0, proved.output
    covered(proved, [name for name, operation in OPERATIONS.items() if operation.inbound])


@pytest.mark.proof
@pytest.mark.timeout(300)
def test_every_control_of_every_operation_holds(whole: Served) -> None:
    proved = whole.prove()
    assert proved.exit_code == 0, proved.output
    covered(proved, OPERATIONS)


def test_evidence_says_what_was_seen_when_and_of_which_build(whole: Served) -> None:
    proved = whole.prove("--operation", "erp.v1.get_product")
    record = next(one for one in proved.records if one["control"] == "SC-001")
    assert record["expectation"].startswith("403 insufficient-scope")
    assert record["observation"] == "403 insufficient-scope"
    assert record["declared_at"].startswith("system_apis/erp/v1/contract.py:")
    assert record["time"].endswith("Z")
    assert len(record["build"]["contracts"]) == 64
    (summary,) = proved.evidence.glob("*.summary.json")
    said = json.loads(summary.read_text())
    assert (said["failed"], said["unproved"], said["operations"]) == (0, 0, 1)
    assert said["url"] == whole.process.url


def test_a_planted_fault_is_found_where_it_is_and_nowhere_else(faulty: Served, tmp_path: Path) -> None:
    log = tmp_path / "prove.sarif"
    proved = faulty.prove("--operation", "portal.v1.get_*", "--json", "--sarif", str(log))
    assert proved.exit_code == 1
    gaps = json.loads(proved.output)["gaps"]
    assert {(gap["operation"], gap["outcome"]) for gap in gaps} == {(OPEN, "failed")}
    assert {"SC-001", "SC-002"} <= {gap["control"] for gap in gaps}
    results = json.loads(log.read_text())["runs"][0]["results"]
    assert {(one["ruleId"], one["level"]) for one in results} >= {("SC-001", "error"), ("SC-002", "error")}


def test_a_given_client_proves_what_it_can_and_the_rest_is_no_success(whole: Served, tmp_path: Path) -> None:
    client = ("--client", "portal-demo", "--secret", "portal-demo-secret", "--operation", "portal.v1.place_order")
    proved = whole.prove(*client, "--json", home=tmp_path)
    assert proved.exit_code == 1
    said = {record["control"]: record for record in json.loads(proved.output)["gaps"]}
    assert {record["outcome"] for record in said.values()} == {"unproved"}
    assert said["AU-003"]["observation"] == "unproved: only the issuer's key could make such a token"
    assert said["AD-002"]["observation"] == "unproved: the issuer gives the client no such token (invalid_scope)"
    held = {record["control"] for record in proved.records if record["outcome"] == "held"}
    assert held >= {"AU-001", "AU-002", "AU-005", "AU-007", "AU-009", "WI-001", "DO-002"}
    assert whole.prove(*client, "--allow-unproved", home=tmp_path).exit_code == 0


def test_without_the_key_and_without_a_client_it_asks_for_one(whole: Served, tmp_path: Path) -> None:
    with pytest.raises(Failure, match="name a client of its issuer"):
        whole.prove("--tier", "system", home=tmp_path)


def test_nothing_chosen_is_a_mistake(whole: Served) -> None:
    with pytest.raises(Failure, match="No operation is chosen"):
        whole.prove("--operation", "nothing.*")


def test_where_no_gateway_answers_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Failure, match="No gateway answers at"):
        tiergate.main(["prove", "--url", "http://127.0.0.1:9"], standalone_mode=False)
