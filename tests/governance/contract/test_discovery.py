"""Discovery over folders written for the test, apart from the APIs of this repository."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import governance
from governance.contract import ContractError
from governance.contract.discovery import discover_apis, discover_connectors, discover_policies

CONTRACT = '''
from typing import Protocol
from governance.contract import Contract, read

class {name}(Contract, Protocol, owner="Test department"):
    """A sample."""

    @read("/things/{{thing_id}}", scope="tax.things:read", public_because="Sample.")
    async def get_thing(self, thing_id: str) -> str:
        """A thing."""
        ...
'''
SERVICE = """
from {package}.contract import {name}

class Service({name}):
    async def get_thing(self, thing_id: str) -> str:
        return thing_id
"""
CONNECTOR = """
from msgspec import Struct

class Settings(Struct, frozen=True):
    pass

class Connector:
    pass
"""
POLICY = """
from governance.call import Policy, Stage
from msgspec import Struct

class Settings(Struct, frozen=True):
    pass

class Enforcement(Policy):
    name = "four_eyes"
    stage = Stage.AUTHORIZE

    def enforce(self, operation, binding):
        return None
"""
SPREAD = ("system_apis", "process_apis", "experience_apis", "governance.policies")
Write = Callable[..., Path]


def _forget() -> None:
    for name in [name for name in sys.modules if name.startswith(SPREAD)]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes files below a repository of its own on an import path that lacks this project."""
    before = {name: module for name, module in sys.modules.items() if name.startswith(SPREAD)}
    elsewhere = [entry for entry in sys.path if not (Path(entry or ".") / "system_apis").is_dir()]
    monkeypatch.setattr(sys, "path", [*elsewhere, str(tmp_path / "ours")])
    monkeypatch.setattr(governance, "__path__", list(governance.__path__))
    _forget()

    def write(path: str, text: str = "", repository: str = "ours") -> Path:
        if repository != "ours":
            # not syspath_prepend: its undo would write today's path into the list that setattr puts back
            monkeypatch.setattr(sys, "path", [str(tmp_path / repository), *sys.path])
        file = tmp_path / repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        importlib.invalidate_caches()
        return file

    yield write
    _forget()
    sys.modules.update(before)


def _api(write: Write, package: str = "system_apis.tax.v1", name: str = "TaxV1", repository: str = "ours") -> Path:
    folder = package.replace(".", "/")
    write(f"{folder}/contract.py", CONTRACT.format(name=name), repository)
    return write(f"{folder}/service.py", SERVICE.format(name=name, package=package), repository).parent


def test_folders_are_apis_sorted_by_tier_name_and_version(write: Write) -> None:
    for package in (
        "experience_apis.portal.v1",
        "system_apis.tax.v10",
        "system_apis.tax.v2",
        "process_apis.returns.v1",
    ):
        _api(write, package)
    assert [one.api.prefix for one in discover_apis()] == [
        "/system/tax/v2",
        "/system/tax/v10",
        "/process/returns/v1",
        "/experience/portal/v1",
    ]
    assert [one.api.tier for one in discover_apis(("process",))] == ["process"]


def test_a_service_and_its_folder_come_with_the_api(write: Write) -> None:
    folder = _api(write)
    (found,) = discover_apis()
    assert (found.service.__name__, found.folder, found.api.id) == ("Service", folder, "tax.v1")


def test_folders_without_versions_and_left_over_caches_are_no_apis(write: Write) -> None:
    write("system_apis/canonical/values.py")
    write("system_apis/tax/v1/__pycache__/contract.pyc")
    write("system_apis/tax/v1/notes.txt")
    assert discover_apis() == ()


def test_a_second_repository_adds_an_api_beside_the_first(write: Write) -> None:
    _api(write)
    _api(write, "system_apis.freight.v1", "FreightV1", "theirs")
    assert [one.api.id for one in discover_apis()] == ["freight.v1", "tax.v1"]


def test_a_second_repository_adds_a_version_to_a_package_of_the_first(write: Write) -> None:
    write("system_apis/tax/__init__.py", '"""Tax."""')
    _api(write)
    _api(write, "system_apis.tax.v2", "TaxV2", "theirs")
    assert [one.api.id for one in discover_apis()] == ["tax.v1", "tax.v2"]


def test_a_version_that_stands_twice_is_refused(write: Write) -> None:
    _api(write)
    _api(write, repository="theirs")
    with pytest.raises(ContractError, match=r"tax\.v1 stands twice"):
        discover_apis()


def test_a_name_belongs_to_one_tier(write: Write) -> None:
    _api(write)
    _api(write, "process_apis.tax.v2")
    with pytest.raises(ContractError, match=r"have the same name: rename one, ids such as tax\.v2 must be unique"):
        discover_apis()


def test_a_version_without_contract_is_refused(write: Write) -> None:
    write("system_apis/tax/v1/service.py")
    with pytest.raises(ContractError, match=r"v1 has no contract\.py"):
        discover_apis()


def test_a_contract_without_service_is_refused(write: Write) -> None:
    (_api(write) / "service.py").unlink()
    with pytest.raises(ContractError, match=r"v1 has no service\.py"):
        discover_apis()


def test_a_contract_outside_a_version_is_refused(write: Write) -> None:
    write("system_apis/tax/contract.py", CONTRACT.format(name="TaxV1"))
    with pytest.raises(ContractError, match=r"move it into a version's folder, tax/v1/"):
        discover_apis()


@pytest.mark.parametrize("name", ["sales-tax", "SalesTax", "sales__tax"])
def test_a_folder_that_is_not_snake_case_is_refused(write: Write, name: str) -> None:
    write(f"system_apis/{name}/v1/contract.py")
    with pytest.raises(ContractError, match=f"{name}: an API's folder is named in snake_case"):
        discover_apis()


@pytest.mark.parametrize("version", ["v0", "v01", "V1"])
def test_a_version_that_does_not_count_from_one_is_refused(write: Write, version: str) -> None:
    write(f"system_apis/tax/{version}/contract.py")
    with pytest.raises(ContractError, match="versions are v1, v2, v3"):
        discover_apis()


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("contract.py", "", "holds no contract"),
        ("contract.py", CONTRACT.format(name="A") + CONTRACT.format(name="B"), r"holds 2 contracts \(A, B\)"),
        (
            "contract.py",
            CONTRACT.format(name="TaxV1").replace('owner="Test', 'folder="system_apis.vat.v1", owner="Test'),
            "says it stands elsewhere",
        ),
        ("service.py", "", "holds no service"),
        (
            "service.py",
            "from system_apis.tax.v1.contract import TaxV1\nclass Service(TaxV1):\n    pass\n",
            "Service does not implement get_thing of TaxV1",
        ),
        (
            "service.py",
            SERVICE.format(name="TaxV1", package="system_apis.tax.v1") + "class Other(Service):\n    pass\n",
            r"holds 2 services of TaxV1 \(Service, Other\)",
        ),
    ],
)
def test_a_version_of_the_wrong_shape_is_refused(write: Write, file: str, text: str, sentence: str) -> None:
    folder = _api(write)
    (folder / file).write_text(text)
    with pytest.raises(ContractError, match=sentence):
        discover_apis()


def test_a_tier_root_with_an_init_file_is_refused(write: Write) -> None:
    write("process_apis/__init__.py")
    with pytest.raises(ContractError, match="process_apis is spread over several repositories"):
        discover_apis()


def test_an_import_that_fails_shows_its_own_error(write: Write) -> None:
    (_api(write) / "service.py").write_text("import a_library_that_is_not_there\n")
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_not_there"):
        discover_apis()


def test_connectors_are_found_by_vendor_over_all_repositories(write: Write) -> None:
    write("system_apis/tax/__init__.py")
    write("system_apis/tax/connectors/__init__.py")
    write("system_apis/tax/connectors/embedded/connector.py", CONNECTOR)
    write("system_apis/tax/connectors/acme/connector.py", CONNECTOR, "theirs")
    found = discover_connectors("tax")
    assert list(found) == ["acme", "embedded"]
    assert found["acme"].__name__ == "system_apis.tax.connectors.acme.connector"


def test_an_api_without_connectors_has_none(write: Write) -> None:
    assert discover_connectors("nothing_of_this_name") == {}


@pytest.mark.parametrize(
    ("file", "text", "sentence"),
    [
        ("wire.py", "", r"acme has no connector\.py"),
        ("connector.py", "", "has no class Connector"),
        ("connector.py", "class Connector: pass", "has no class Settings"),
        (
            "connector.py",
            "class Connector: pass\nclass Settings: pass",
            "Settings must be a msgspec Struct with frozen=True",
        ),
    ],
)
def test_a_connector_of_the_wrong_shape_is_refused(write: Write, file: str, text: str, sentence: str) -> None:
    write(f"system_apis/tax/connectors/acme/{file}", text)
    with pytest.raises(ContractError, match=sentence):
        discover_connectors("tax")


def test_a_second_repository_adds_a_policy(write: Write) -> None:
    write("governance/policies/four_eyes_of_theirs.py", POLICY)
    names = [module.__name__ for module in discover_policies()]
    assert "governance.policies.four_eyes_of_theirs" in names
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("without_enforcement", "", "has no class Enforcement"),
        ("foreign", CONNECTOR.replace("Connector", "Enforcement"), "Enforcement must be derived from"),
    ],
)
def test_a_policy_of_the_wrong_shape_is_refused(write: Write, name: str, text: str, sentence: str) -> None:
    write(f"governance/policies/{name}.py", text)
    with pytest.raises(ContractError, match=sentence):
        discover_policies()
