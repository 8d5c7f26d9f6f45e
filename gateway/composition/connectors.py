"""Connectors: the one that tiergate.toml names for each system API, made and put behind its port."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from gateway.composition.egress import vendor_settings, way_out
from gateway.composition.injection import Resources, made
from gateway.settings import Settings, SettingsError, System, read_section
from governance.contract.discovery import discover_connectors
from governance.contract.graph import Node, constructor_types
from governance.egress import Egress, MailClient, VendorClient
from governance.webhooks import VendorSchemes


class Connector(Protocol):
    """What every connector can do beside its port."""

    async def start(self) -> None:
        """Open what it needs."""
        ...

    async def stop(self) -> None:
        """Close what it opened."""
        ...


def connectors(nodes: Iterable[Node], settings: Settings, resources: Resources) -> dict[Any, Connector]:
    """The port type of every system API among ``nodes`` with the connector that serves it.

    None where the system tier runs in another process.

    Raises:
        SettingsError: tiergate.toml names a connector or a setting that does not exist.
    """
    systems = [node for node in nodes if node.api.tier == "system"]
    unknown = sorted(set(settings.systems) - {node.api.name for node in systems})
    if unknown:
        raise SettingsError(
            [f"{_file(settings)}: systems.{name} is no system API of this gateway." for name in unknown]
        )
    found: dict[Any, Connector] = {}
    put_in = _faults(settings)
    for node in systems if "system" in settings.gateway.tiers else ():
        for annotation in node.takes.values():
            if getattr(annotation, "__module__", "") == f"system_apis.{node.api.name}.port" and annotation not in found:
                found[annotation] = put_in(node.api.name, _connector(node.api.name, settings, resources))
    return found


def vendor_of(name: str, settings: Settings) -> str:
    """The connector that a system API uses: the stated one, the embedded one, or the only one.

    Raises:
        SettingsError: that one is not there, or there are several and none is stated.
    """
    stated = settings.systems.get(name, System()).connector
    vendors = sorted(discover_connectors(name))
    wanted = stated or (vendors[0] if len(vendors) == 1 else "embedded")
    if wanted not in vendors:
        known = ", ".join(vendors) or "none"
        raise SettingsError(
            [f"{_file(settings)}: systems.{name}.connector is {wanted!r}; the {name} API has: {known}."]
        )
    return wanted


def _connector(name: str, settings: Settings, resources: Resources) -> Connector:
    module = discover_connectors(name)[vendor_of(name, settings)]
    stated = settings.systems.get(name, System()).settings
    own = read_section(stated, module.Settings, file=_file(settings), path=f"systems.{name}.settings")
    given = {**resources, module.Settings: own}
    outward = vendor_settings(name, settings)
    if VendorClient in constructor_types(module.Connector).values():
        given[VendorClient] = way_out(name, outward, settings, resources[Egress].vendor)
    if MailClient in constructor_types(module.Connector).values():
        given[MailClient] = way_out(name, outward, settings, resources[Egress].mail)
    connector: Connector = made(module.Connector, given)
    if VendorSchemes in resources:
        resources[VendorSchemes].learn(name, connector)
    return connector


def _faults(settings: Settings) -> Callable[[str, Connector], Connector]:
    if not settings.chaos.faults:
        return lambda _, connector: connector
    from gateway.chaos.faults import faults_of

    return faults_of(settings.home).around


def _file(settings: Settings) -> str:
    return settings.config.name if settings.config else "tiergate.toml"
