"""All faults, and the mutants that they make of operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from governance.contract import Operation
from tests.mutants.faults import answers, authority, identity, limits, wire
from tests.mutants.mutant import Fault

ALIKE = frozenset({"answers", "problems", "CORS", "documents"})
"""Groups whose faults are the same in every operation."""
MOST_ALIKE = 4


class Mutant(NamedTuple):
    """One fault in one operation."""

    fault: Fault
    operation: Operation


def faults() -> tuple[Fault, ...]:
    """Every fault that does not depend on an operation's own members."""
    return tuple(fault for module in (identity, authority, limits, wire, answers) for fault in module.faults())


def mutants(operations: Iterable[Operation], with_records: Container[str]) -> Iterator[Mutant]:
    """Every fault in these operations where it can be planted; what no operation tells apart in a few of them."""
    planted: Counter[tuple[str, str]] = Counter()
    for operation in operations:
        for fault in (*faults(), *wire.faults_of(operation)):
            if not fault.applies(operation) or (fault.needs_record and operation.id not in with_records):
                continue
            if fault.group in ALIKE and planted[fault.group, fault.name] >= MOST_ALIKE:
                continue
            planted[fault.group, fault.name] += 1
            yield Mutant(fault, operation)
