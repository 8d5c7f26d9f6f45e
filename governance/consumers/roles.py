"""Roles: a named selection of scopes, resolved against the contracts when the gateway starts.

A role follows the contracts: an operation that is added to an API is open to the role that selects
this API, which a list of scopes by hand would miss.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from governance.consumers.catalogue import ScopeCatalogue


class Selection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The scopes of one tier, narrowed to an API or to reading or writing where these are given."""

    tier: Literal["system", "process", "experience", "governance"]
    api: str = ""
    action: Literal["", "read", "write"] = ""


class Role(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[roles.<name>]`` of tiergate.toml: selections and single scopes together."""

    select: tuple[Selection, ...] = ()
    scopes: tuple[str, ...] = ()

    def resolve(self, catalogue: ScopeCatalogue) -> frozenset[str]:
        """Every scope of the role under these contracts."""
        selected = (catalogue.select(one.tier, api=one.api, action=one.action) for one in self.select)
        return frozenset(self.scopes).union(*selected)
