"""``[chaos]``: faults in front of connectors, for proofs.

Nobody gets them by accident: they need this section, a home that ``tiergate chaos`` made, a
loopback address, the embedded issuer and embedded systems of record.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

PLAN = Path("chaos", "plan.json")


class Chaos(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[chaos]``."""

    faults: bool = False
    """Put the faults of the home's plan in front of every connector."""

    def contradictions(
        self, home: Path, *, on_loopback: bool, embedded_issuer: bool, connectors: Iterable[str]
    ) -> list[tuple[str, str]]:
        """Why faults must not be put in here: pairs of key path and sentence."""
        if not self.faults:
            return []
        found: list[str] = []
        if not (home / PLAN).is_file():
            found.append("must be false: this home was not made by tiergate chaos.")
        if not on_loopback or not embedded_issuer:
            found.append("must be false: faults are put in on a loopback address with the embedded issuer only.")
        if set(connectors) - {"", "embedded"}:
            found.append("must be false: faults are put in front of embedded systems only.")
        return [("chaos.faults", sentence) for sentence in found]
