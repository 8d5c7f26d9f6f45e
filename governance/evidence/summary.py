"""A run in short: how often each control held, failed, or could not be proved."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from governance.evidence.build import Build
from governance.evidence.record import Outcome, Record

WORST: tuple[Outcome, ...] = ("failed", "unproved", "noted", "held", "not-applicable")


class ControlRow(Struct, frozen=True, kw_only=True):
    """One control over all operations: in how many of them it held, and so on."""

    control: str
    title: str
    held: int = 0
    failed: int = 0
    unproved: int = 0
    not_applicable: int = 0
    noted: int = 0


class Summary(Struct, frozen=True, kw_only=True):
    """One run."""

    run: str
    url: str
    began: str
    ended: str
    build: Build
    operations: int
    proofs: int
    requests: int
    failed: int
    unproved: int
    controls: tuple[ControlRow, ...]

    @property
    def gaps(self) -> bool:
        """Whether anything failed or is not proved."""
        return bool(self.failed or self.unproved)


def summary_of(
    records: Iterable[Record], *, url: str, began: str, ended: str, requests: int, run: str, build: Build
) -> Summary:
    """The run that these records are of."""
    worst: dict[tuple[str, str], Outcome] = {}
    titles: dict[str, str] = {}
    proofs = 0
    for record in records:
        titles.setdefault(record.control, record.title)
        proofs += record.outcome in ("held", "failed", "unproved")
        place = (record.control, record.operation)
        before = worst.get(place, WORST[-1])
        if WORST.index(record.outcome) < WORST.index(before) or place not in worst:
            worst[place] = record.outcome
    rows = tuple(_row(control, titles[control], worst) for control in sorted(titles))
    return Summary(
        run=run,
        url=url,
        began=began,
        ended=ended,
        build=build,
        operations=len({operation for _, operation in worst}),
        proofs=proofs,
        requests=requests,
        failed=sum(row.failed for row in rows),
        unproved=sum(row.unproved for row in rows),
        controls=rows,
    )


def _row(control: str, title: str, worst: dict[tuple[str, str], Outcome]) -> ControlRow:
    outcomes = [outcome for (of, _), outcome in worst.items() if of == control]
    return ControlRow(
        control=control,
        title=title,
        held=outcomes.count("held"),
        failed=outcomes.count("failed"),
        unproved=outcomes.count("unproved"),
        not_applicable=outcomes.count("not-applicable"),
        noted=outcomes.count("noted"),
    )
