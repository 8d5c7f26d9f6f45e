"""``[processes.<api>]`` reaches the process, and what is wrong in it stops the start with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.composition.processes import process_settings
from gateway.settings import SettingsError
from gateway.settings.sections import Settings
from governance.contract import api_of
from governance.contract.discovery import DiscoveredApi
from governance.contract.graph import Node, graph
from process_apis.returns.settings import ReturnSettings
from tests.process_apis.returns.returns_world import SERVICES


def nodes() -> tuple[Node, ...]:
    return graph(DiscoveredApi(api=api_of(one), service=one, folder=Path()) for one in SERVICES)


def read(**processes: dict[str, Any]) -> Any:
    return process_settings(nodes(), Settings(home=Path("/nowhere"), processes=processes))[ReturnSettings]


def test_what_is_left_out_is_the_default() -> None:
    assert read() == ReturnSettings()
    assert read(returns={"window_s": 86_400}) == ReturnSettings(window_s=86_400)


@pytest.mark.parametrize(
    ("processes", "sentence"),
    [
        ({"returns": {"window": 1}}, "processes.returns.window"),
        ({"returns": {"window_s": -1}}, "processes.returns.window_s"),
        ({"erp": {}}, "processes.erp is no process with settings; these are: returns."),
    ],
)
def test_what_is_wrong_is_named(processes: dict[str, dict[str, Any]], sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**processes)
    assert sentence in str(refused.value)
