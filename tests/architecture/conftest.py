"""A gateway with all tiers, put together and never started."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.app import build
from gateway.composition.application import Tiergate
from gateway.settings import load_settings


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Tiergate:
    home = tmp_path_factory.mktemp("home")
    return build(load_settings({"TIERGATE_HOME": str(home)}, Path(home)))
