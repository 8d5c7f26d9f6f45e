"""The scope catalogue says exactly what each scope opens, and the server serves what is committed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from governance.contract.discovery import discover_apis
from governance.openapi.export import export
from governance.openapi.scopes import SCOPES_FILE, encoded_scopes, scope_catalogue

APIS = tuple(one.api for one in discover_apis())


def test_every_operation_stands_under_its_scope_and_nowhere_else() -> None:
    listed = {
        operation["id"]: entry["scope"]
        for entry in scope_catalogue(APIS)["scopes"]
        for operation in entry["operations"]
    }
    every = [operation for api in APIS for operation in api.operations]
    assert listed == {operation.id: operation.scope for operation in every if not operation.inbound}
    assert any(operation.inbound for operation in every), "which no token opens"
    count = sum(len(entry["operations"]) for entry in scope_catalogue(APIS)["scopes"])
    assert count == len(listed)


def test_each_entry_is_of_one_tier() -> None:
    for entry in scope_catalogue(APIS)["scopes"]:
        assert {operation["path"].split("/")[1] for operation in entry["operations"]} == {entry["tier"]}


def test_a_scope_that_opens_something_else_makes_the_export_stale(tmp_path: Path) -> None:
    export(tmp_path, APIS, ())
    assert (tmp_path / SCOPES_FILE).read_bytes() == encoded_scopes(APIS)
    assert export(tmp_path, APIS, (), check=True) == ()
    widened = msgspec.json.decode((tmp_path / SCOPES_FILE).read_bytes())
    widened["scopes"][0]["operations"].append({"id": "portal.v1.post_order"})
    (tmp_path / SCOPES_FILE).write_bytes(msgspec.json.encode(widened))
    (stale,) = export(tmp_path, APIS, (), check=True)
    assert stale.path.name == SCOPES_FILE
