"""Every API version, connector and policy has the one shape, and tests beside it."""

from __future__ import annotations

import ast
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from governance.contract.discovery import discover_connectors, discover_policies
from tests.architecture.tree import PACKAGES, ROOT, api_versions, connectors, files, parsed

POLICIES = {module.Enforcement.name: module for module in discover_policies()}


def stars(path: Path) -> set[str]:
    """Top-level classes of a module."""
    return {node.name for node in parsed(path).body if isinstance(node, ast.ClassDef)}


@pytest.mark.parametrize("folder", api_versions(), ids=str)
def test_an_api_version_is_contract_and_service(folder: Path) -> None:
    present = {path.name for path in (ROOT / folder).glob("*.py")}
    assert present >= {"__init__.py", "contract.py", "service.py"}
    assert len(stars(folder / "contract.py")) == 1, "a contract's Structs stand in model.py"
    assert len([name for name in stars(folder / "service.py") if not name.startswith("_")]) == 1


@pytest.mark.parametrize("folder", sorted({path.parents[1] for path in connectors()}), ids=str)
def test_a_system_has_its_port(folder: Path) -> None:
    assert folder.name.title().replace("_", "") + "Port" in stars(folder / "port.py")


@pytest.mark.parametrize("folder", connectors(), ids=str)
def test_a_connector_is_settings_and_connector(folder: Path) -> None:
    module = discover_connectors(folder.parts[1])[folder.name]
    assert_settings(module)
    assert all(hasattr(module.Connector, name) for name in ("start", "stop"))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_has_the_one_shape(name: str) -> None:
    module = POLICIES[name]
    assert module.__name__ == f"governance.policies.{name}"
    assert_settings(module)
    module.Settings()  # every setting has a default
    assert (module.__doc__ or "").strip()
    for method in ("enforce", "document", "prove", "audit"):
        assert getattr(module.Enforcement, method).__doc__, f"{name}.{method} says nothing"


def assert_settings(module: ModuleType) -> None:
    settings = module.Settings
    assert issubclass(settings, msgspec.Struct)
    assert settings.__struct_config__.frozen
    assert settings.__struct_config__.forbid_unknown_fields
    assert settings.__doc__


def test_tests_mirror_the_tree() -> None:
    inner = {"connectors", "migrations", "seed", "data", "embedded"}
    folders = {path.parent for path in files(*PACKAGES) if len(path.parts) == 3 or path.parts[1] == "policies"}
    untested = [
        str(folder)
        for folder in sorted(folders)
        if not inner.intersection(folder.parts[2:])
        and not any((ROOT / "tests" / folder).rglob("test_*.py"))
        and not any((ROOT / "tests" / folder.parent).glob(f"test_*{folder.name}*.py"))
    ]
    assert not untested
