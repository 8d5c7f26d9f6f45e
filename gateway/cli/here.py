"""The settings as a command sees them: its options first, then the environment, then tiergate.toml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from gateway.cli.failure import CONFIGURATION, Failure
from gateway.settings import Settings, SettingsError, load_settings


def environment(**options: object) -> dict[str, str]:
    """The environment with ``TIERGATE_<OPTION>`` set for every option that was given."""
    given = {f"TIERGATE_{name.upper()}": str(value) for name, value in options.items() if value is not None}
    return {**os.environ, **given}


def settings_here(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings that hold in the working directory.

    Raises:
        Failure: they are wrong; one sentence for each violation.
    """
    try:
        return load_settings(os.environ if environ is None else environ, Path.cwd())
    except SettingsError as error:
        raise Failure(*error.violations, exit_code=CONFIGURATION) from None
