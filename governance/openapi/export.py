"""The documents as files: ``openapi/{tier}/{slug}/v{n}.json`` and the scope catalogue, committed and checked.

Only the tiers' folders are looked at; ``released/`` and ``changes/`` beside them are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from governance.call.policy import Policy
from governance.contract.operation import TIERS, Api
from governance.openapi.document import document, encoded
from governance.openapi.scopes import SCOPES_FILE, encoded_scopes


class Stale(Struct, frozen=True):
    """A file that does not agree with the contracts, and why, in one line."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def document_path(api: Api) -> str:
    """Where the document stands below its folder, such as ``system/erp/v1.json``."""
    return f"{api.tier}/{api.slug}/v{api.version}.json"


def export(
    directory: Path, apis: Iterable[Api], policies: Iterable[Policy], *, check: bool = False
) -> tuple[Stale, ...]:
    """Bring the files below ``directory`` into agreement with the contracts, and say which were not.

    With ``check`` nothing is written: what would be is reported.

    Raises:
        ContractError: a document can't be made.
        OSError: a file can't be read or written.
    """
    apis, policies = tuple(apis), tuple(policies)
    wanted = {directory / document_path(api): encoded(document(api, policies)) for api in apis}
    wanted[directory / SCOPES_FILE] = encoded_scopes(apis)
    stale: list[Stale] = []
    for path, content in sorted(wanted.items()):
        if reason := _difference(path, content):
            stale.append(Stale(path, reason))
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    for path in _leftovers(directory, set(wanted)):
        stale.append(Stale(path, "belongs to no API version"))
        if not check:
            path.unlink()
    return tuple(stale)


def _difference(path: Path, content: bytes) -> str:
    if not path.is_file():
        return "is missing"
    return "" if path.read_bytes() == content else "differs from the contracts and policies"


def _leftovers(directory: Path, wanted: set[Path]) -> list[Path]:
    return sorted(path for tier in TIERS for path in (directory / tier).rglob("*.json") if path not in wanted)
