"""Settings: the only reader of the environment and of tiergate.toml.

``load_settings`` is a pure function of an environment and a folder. It reports every violation at
once, each in one sentence with file and key path, and gives a frozen ``Settings`` that holds no
surprise: unknown keys are refused, types are strict, secrets are never written in the file.
"""

from gateway.settings.loading import load_settings
from gateway.settings.reading import SettingsError, read_section
from gateway.settings.secrets import Secret
from gateway.settings.sections import (
    TIERS,
    Database,
    ExternalIssuer,
    Gateway,
    Issuer,
    Placement,
    Settings,
    Shown,
    Store,
    System,
    Telemetry,
    Tier,
)

__all__ = [
    "TIERS",
    "Database",
    "ExternalIssuer",
    "Gateway",
    "Issuer",
    "Placement",
    "Secret",
    "Settings",
    "SettingsError",
    "Shown",
    "Store",
    "System",
    "Telemetry",
    "Tier",
    "load_settings",
    "read_section",
]
