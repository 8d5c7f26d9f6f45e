"""Finds APIs, connectors and policies by folder, so that no list of them is kept anywhere.

A folder is an API exactly when it holds ``v<n>/contract.py``; its service is the one class in
``service.py`` that implements the contract. Every folder of the import path counts, so a
company's own repository with ``system_apis/tax/`` works beside an installed Tiergate, also where
it adds a version, a connector (``system_apis/erp/connectors/sap/``) or a policy
(``governance/policies/four_eyes/``) to packages that Tiergate has already.

A badly shaped folder stops the start with a sentence; an import that fails shows its own error.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from pkgutil import extend_path
from types import ModuleType
from typing import Any, Protocol

from msgspec import Struct

from governance.call.policy import Policy
from governance.contract.contract import api_of
from governance.contract.errors import ContractError
from governance.contract.operation import TIERS, Api, Tier
from governance.contract.tombstone import tombstone

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
VERSION_LIKE = re.compile(r"[vV][0-9]+\Z")
VERSION = re.compile(r"v[1-9][0-9]*\Z")


class DiscoveredApi(Struct, frozen=True, kw_only=True, eq=False):
    """An API version, the class that implements it and the folder it stands in."""

    api: Api
    service: type[Any]
    folder: Path


def discover_apis(tiers: Sequence[Tier] = TIERS) -> tuple[DiscoveredApi, ...]:
    """Every API version of these tiers, by tier, name and version.

    Raises:
        ContractError: a folder is badly shaped; the sentence says which and how to mend it.
    """
    found = [_discovered(package, folder) for tier in tiers for package, folder in _versions(tier)]
    _named_once(found)
    return tuple(sorted(found, key=lambda one: (TIERS.index(one.api.tier), one.api.name, one.api.version)))


def discover_connectors(api_name: str) -> dict[str, ModuleType]:
    """The connector modules of a system API, by the name of their vendor's folder.

    Raises:
        ContractError: a vendor's folder lacks ``connector.py``, its ``Connector`` or its ``Settings``.
    """
    package = f"system_apis.{api_name}.connectors"
    return {
        name: _shaped(f"{package}.{name}.connector", folder / "connector.py", "Connector")
        for name, folder in sorted(_distinct(package).items())
        if folder.is_dir()
    }


def discover_policies() -> tuple[ModuleType, ...]:
    """The policy modules, each with ``Enforcement`` and ``Settings``, by name.

    Raises:
        ContractError: a policy lacks one of the two, or its ``Enforcement`` is no ``Policy``.
    """
    modules: list[ModuleType] = []
    for name, place in sorted(_distinct("governance.policies").items()):
        module = _shaped(f"governance.policies.{name}", place, "Enforcement")
        if not issubclass(module.Enforcement, Policy):
            raise ContractError(f"{place}: Enforcement must be derived from governance.call.Policy.")
        modules.append(module)
    return tuple(modules)


def _versions(tier: Tier) -> Iterator[tuple[str, Path]]:
    root = f"{tier}_apis"
    for name, places in _children(root).items():
        places = [place for place in places if place.is_dir()]
        versions = [child for place in places for child in _folders(place) if VERSION_LIKE.match(child.name)]
        for place in places:
            if (place / "contract.py").is_file():
                raise ContractError(
                    f"{place} holds contract.py itself: move it into a version's folder, {place.name}/v1/."
                )
        if versions and not SNAKE_CASE.match(name):
            raise ContractError(
                f"{versions[0].parent}: an API's folder is named in snake_case, such as order_to_fulfillment."
            )
        yield from _distinct_versions(f"{root}.{name}", versions)


def _distinct_versions(package: str, versions: list[Path]) -> Iterator[tuple[str, Path]]:
    seen: dict[str, Path] = {}
    for folder in versions:
        if not VERSION.match(folder.name):
            raise ContractError(f"{folder}: versions are v1, v2, v3 …; rename the folder.")
        if folder.name in seen:
            raise ContractError(
                f"{package}.{folder.name} stands twice, in {seen[folder.name]} and in {folder}: remove one."
            )
        seen[folder.name] = folder
        yield f"{package}.{folder.name}", folder


def _named_once(found: Sequence[DiscoveredApi]) -> None:
    """An id such as ``erp.v1`` does not say the tier, so a name belongs to one tier."""
    seen: dict[str, DiscoveredApi] = {}
    for one in found:
        other = seen.setdefault(one.api.name, one)
        if other.api.tier != one.api.tier:
            places = f"{other.folder.parent} and {one.folder.parent}"
            raise ContractError(f"{places} have the same name: rename one, ids such as {one.api.id} must be unique.")


def _discovered(package: str, folder: Path) -> DiscoveredApi:
    _present(folder, "contract.py", "the contract class")
    _opened(package.rpartition(".")[0])
    contract = _contract(importlib.import_module(f"{package}.contract"), folder / "contract.py")
    api = api_of(contract)
    if f"{api.tier}_apis.{api.name}.v{api.version}" != package:
        raise ContractError(
            f"{folder / 'contract.py'}: {contract.__name__} says it stands elsewhere: leave out folder=…."
        )
    if api.lifecycle.stage == "retired":
        return DiscoveredApi(api=api, service=tombstone(contract), folder=folder)
    _present(folder, "service.py", "the class that implements its contract")
    service = _service(importlib.import_module(f"{package}.service"), contract, folder / "service.py")
    return DiscoveredApi(api=api, service=service, folder=folder)


def _present(folder: Path, file: str, holds: str) -> None:
    if not (folder / file).is_file():
        raise ContractError(f"{folder} has no {file}: add it, with {holds}.")


def _contract(module: ModuleType, file: Path) -> type[Any]:
    contracts = [one for one in _own_classes(module) if "__api__" in vars(one)]
    match contracts:
        case [contract]:
            return contract
        case []:
            raise ContractError(f"{file} holds no contract: derive one class from Contract and Protocol.")
        case _:
            names = ", ".join(one.__name__ for one in contracts)
            raise ContractError(f"{file} holds {len(contracts)} contracts ({names}): one version is one class.")


def _service(module: ModuleType, contract: type[Any], file: Path) -> type[Any]:
    services = [one for one in _own_classes(module) if contract in one.__mro__ and Protocol not in one.__bases__]
    concrete = [one for one in services if not inspect.isabstract(one)]
    match concrete:
        case [service]:
            return service
        case []:
            for one in services:
                missing = ", ".join(sorted(one.__abstractmethods__))
                raise ContractError(f"{file}: {one.__name__} does not implement {missing} of {contract.__name__}.")
            raise ContractError(f"{file} holds no service: derive one class from {contract.__name__}.")
        case _:
            names = ", ".join(one.__name__ for one in concrete)
            raise ContractError(f"{file} holds {len(concrete)} services of {contract.__name__} ({names}): keep one.")


def _shaped(name: str, place: Path, main: str) -> ModuleType:
    if place.suffix == ".py" and not place.is_file():
        raise ContractError(f"{place.parent} has no {place.name}: add it, with {main} and Settings.")
    module = importlib.import_module(name)
    for wanted in (main, "Settings"):
        if not isinstance(getattr(module, wanted, None), type):
            raise ContractError(f"{place} has no class {wanted}: every one of its kind has {main} and Settings.")
    settings = module.Settings
    if not (issubclass(settings, Struct) and settings.__struct_config__.frozen):
        raise ContractError(f"{place}: Settings must be a msgspec Struct with frozen=True.")
    return module


def _own_classes(module: ModuleType) -> list[type[Any]]:
    return [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]


def _distinct(package: str) -> dict[str, Path]:
    children = _children(package)
    for name, (place, *others) in children.items():
        if others:
            raise ContractError(f"{package}.{name} stands twice, in {place} and in {others[0]}: remove one.")
        if not SNAKE_CASE.match(name):
            raise ContractError(f"{place}: a folder of {package} is named in snake_case.")
    return {name: place for name, (place, *_) in children.items()}


def _children(package: str) -> dict[str, list[Path]]:
    """The modules and folders of a package by name, from every place it is spread over."""
    children: dict[str, list[Path]] = {}
    for portion in sorted(set(_opened(package))):
        folders = _folders(Path(portion))
        for place in sorted(Path(portion).iterdir()):
            is_module = place.suffix == ".py" and place.name[0] != "_"
            if is_module or place in folders:
                children.setdefault(place.stem if is_module else place.name, []).append(place)
    return children


def _folders(place: Path) -> list[Path]:
    """The folders that hold source; what only has caches was left behind by a removed one."""
    return [
        child
        for child in sorted(place.iterdir())
        if child.is_dir() and child.name[0] not in "._" and any(child.rglob("*.py"))
    ]


def _opened(package: str) -> list[str]:
    """The folders of a package over the whole import path, which it then imports from."""
    parent = package.rpartition(".")[0]
    if parent and not _opened(parent):
        return []
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return []
    if not parent and package != "governance" and module.__file__:
        raise ContractError(f"{module.__file__} must not be there: {package} is spread over several repositories.")
    if module.__file__:
        module.__path__ = extend_path(module.__path__, package)
    return [portion for portion in module.__path__ if Path(portion).is_dir()]
