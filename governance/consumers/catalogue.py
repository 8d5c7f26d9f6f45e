"""Every scope there is and the tiers whose operations demand it, taken from the contracts.

The catalogue is what scopes of consumers are checked against, and where a role finds its scopes.
Besides the three tiers it holds ``governance``: the reports, which are no operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, Protocol

GOVERNANCE = "governance"
GOVERNANCE_SCOPES = ("governance:read", "governance:prove")


class ScopedOperation(Protocol):
    """What is read of an operation."""

    @property
    def scope(self) -> str: ...

    @property
    def tier(self) -> str: ...


class ScopeCatalogue(Mapping[str, frozenset[str]]):
    """Scope to the tiers it opens."""

    def __init__(self, scopes: Mapping[str, Iterable[str]]) -> None:
        self._tiers = {scope: frozenset(scopes[scope]) for scope in sorted(scopes)}

    @classmethod
    def of(cls, operations: Iterable[ScopedOperation]) -> ScopeCatalogue:
        """The catalogue of these operations and of the governance reports."""
        found: dict[str, set[str]] = {scope: {GOVERNANCE} for scope in GOVERNANCE_SCOPES}
        for operation in operations:
            found.setdefault(operation.scope, set()).add(operation.tier)
        return cls(found)

    def __getitem__(self, scope: str) -> frozenset[str]:
        return self._tiers[scope]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tiers)

    def __len__(self) -> int:
        return len(self._tiers)

    def tiers(self, scopes: Iterable[str]) -> frozenset[str]:
        """The tiers that any of ``scopes`` opens."""
        return frozenset(tier for scope in scopes for tier in self._tiers.get(scope, ()))

    def select(self, tier: str, *, api: str = "", action: Literal["", "read", "write"] = "") -> frozenset[str]:
        """The scopes of a tier, of one API of it, or those of them that only read or write."""
        return frozenset(
            scope
            for scope, tiers in self._tiers.items()
            if tier in tiers
            and (not api or scope.split(".", 1)[0] == api)
            and (not action or scope.rsplit(":", 1)[-1] == action)
        )
