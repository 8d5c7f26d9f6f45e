"""The flow runtime of a process, as ``[flows]`` and ``[database]`` say."""

from __future__ import annotations

from msgspec.structs import asdict

from gateway.settings import Settings, read_section
from governance.call import Clock, Foreground
from process_apis.flow import FlowRuntime, FlowSettings
from process_apis.flow.settings import FlowTuning


def flow_runtime(settings: Settings, clock: Clock, foreground: Foreground) -> FlowRuntime:
    """Flows that give way to requests under way.

    Raises:
        SettingsError: ``[flows]`` breaks its bounds.
    """
    tuning = read_section(settings.flows, FlowTuning, file=settings.file_name, path="flows")
    own = FlowSettings(home=settings.home, database_url=settings.database.url, **asdict(tuning))
    return FlowRuntime(own, clock, foreground)
