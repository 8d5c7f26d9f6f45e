"""One piece of evidence: operation, control, expectation, observation, time and build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from governance.call import Finding
from governance.contract.operation import Operation
from governance.evidence.build import Build
from governance.prove import Proof

Outcome = Literal["held", "failed", "unproved", "not-applicable", "noted"]
"""``unproved`` says why in its observation; ``noted`` is a weakness that was found without running anything."""


class Record(Struct, frozen=True, kw_only=True):
    """One line of a run's evidence."""

    run: str
    time: str
    """RFC 3339, UTC: when it was observed."""
    build: Build
    operation: str
    control: str
    title: str
    case: str = ""
    """Which of several requests of the control it was."""
    expectation: str
    observation: str
    outcome: Outcome
    declared_at: str = ""
    """File and line of the operation's declaration."""


class Observed(Struct, frozen=True, kw_only=True):
    """A proof and when it was made."""

    time: str
    proof: Proof


def records_of(
    run: str,
    build: Build,
    operations: Iterable[Operation],
    observed: Iterable[Observed],
    findings: Iterable[Finding],
    *,
    time: str,
) -> Iterator[Record]:
    """Everything that is known after a run that ended at ``time``: every operation with every control, then the findings.

    A control that has nothing to ask of an operation is said to be not applicable; none is left out.
    """
    places = {operation.id: declared_at(operation) for operation in operations}
    titles: dict[str, str] = {}
    known: set[tuple[str, str]] = set()
    for one in observed:
        titles.setdefault(one.proof.control, one.proof.title)
        known.add((one.proof.operation_id, one.proof.control))
        yield _of_proof(run, build, one, places)
    for operation, place in places.items():
        for control in sorted(titles):
            if (operation, control) not in known:
                yield Record(
                    run=run,
                    time=time,
                    build=build,
                    operation=operation,
                    control=control,
                    title=titles[control],
                    expectation="nothing",
                    observation="the operation has nothing that the control is about",
                    outcome="not-applicable",
                    declared_at=place,
                )
    for finding in findings:
        if finding.operation_id in places:
            yield _of_finding(run, build, finding, time, places)


def _of_proof(run: str, build: Build, one: Observed, places: Mapping[str, str]) -> Record:
    proof = one.proof
    return Record(
        run=run,
        time=one.time,
        build=build,
        operation=proof.operation_id,
        control=proof.control,
        title=proof.title,
        case=proof.case,
        expectation=proof.expected,
        observation=proof.seen,
        outcome=proof.outcome,
        declared_at=places.get(proof.operation_id, ""),
    )


def _of_finding(run: str, build: Build, finding: Finding, time: str, places: Mapping[str, str]) -> Record:
    return Record(
        run=run,
        time=time,
        build=build,
        operation=finding.operation_id,
        control=finding.id,
        title="Static finding",
        expectation="no finding",
        observation=finding.detail,
        outcome="failed" if finding.severity == "error" else "noted",
        declared_at=places[finding.operation_id],
    )


def declared_at(operation: Operation) -> str:
    """Where the operation stands in its contract, such as ``system_apis/erp/v1/contract.py:41``."""
    module = operation.implementation.__module__.replace(".", "/")
    return f"{module}.py:{operation.implementation.__code__.co_firstlineno}"
