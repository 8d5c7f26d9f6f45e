"""Egress: the one way out, as ``[egress]`` and ``[systems.<api>.egress]`` say."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gateway.composition.injection import Resources
from gateway.settings import Settings, SettingsError, System, read_section
from governance.call import Clock
from governance.egress import Egress, EgressSettings, VendorSettings
from governance.store import Store
from governance.telemetry import CallMetrics, Tracing

Way = TypeVar("Way")


def egress_of(settings: Settings, resources: Resources) -> Egress:
    """The way out of a process, with its figures among the metrics.

    Raises:
        SettingsError: ``[egress]`` breaks its bounds.
    """
    own = read_section(settings.egress, EgressSettings, file=settings.file_name, path="egress")
    egress = Egress(own, clock=resources[Clock], store=resources[Store], tracing=resources[Tracing])
    metrics: CallMetrics = resources[CallMetrics]
    metrics.include(egress.figures)
    return egress


def vendor_settings(name: str, settings: Settings) -> VendorSettings:
    """How the system ``name`` is called.

    Raises:
        SettingsError: ``[systems.<name>.egress]`` breaks its bounds.
    """
    table = settings.systems.get(name, System()).egress
    return read_section(table, VendorSettings, file=settings.file_name, path=f"systems.{name}.egress")


def way_out(name: str, own: VendorSettings, settings: Settings, make: Callable[[str, VendorSettings], Way]) -> Way:
    """The way out to the system ``name``, as ``make`` of the egress makes it.

    Raises:
        SettingsError: its ``ca_file`` holds no certificates.
    """
    try:
        return make(name, own)
    except OSError as error:  # ssl's own errors are among them
        place = f"{settings.file_name}: systems.{name}.egress.ca_file"
        raise SettingsError([f"{place} names {own.ca_file}, which can't be read as certificates."]) from error
