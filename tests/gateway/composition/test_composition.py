"""Composition: injection, the life of parts, and what a wrong tiergate.toml gets to hear."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.app import build
from gateway.composition.injection import made
from gateway.composition.lifetime import lifetime
from gateway.settings import SettingsError, load_settings
from governance.contract import ContractError


class Engine:
    """A resource."""


class NeedsEngine:
    def __init__(self, engine: Engine, spare: Engine | None = None) -> None:
        self.engine, self.spare = engine, spare


class NeedsNothingNeeded:
    def __init__(self, extra: Path | None = None) -> None:
        self.extra = extra


def test_a_class_gets_what_its_annotations_ask_for() -> None:
    engine = Engine()
    one = made(NeedsEngine, {Engine: engine})
    assert one.engine is engine
    assert one.spare is engine


def test_what_may_be_none_is_left_out_and_what_may_not_is_named() -> None:
    assert made(NeedsNothingNeeded, {}).extra is None
    with pytest.raises(ContractError, match="NeedsEngine asks for engine: Engine, which is not there"):
        made(NeedsEngine, {})


class Part:
    """Notes when it is started and stopped."""

    def __init__(self, name: str, notes: list[str], *, fails: bool = False) -> None:
        self._name, self._notes, self._fails = name, notes, fails

    async def start(self) -> None:
        if self._fails:
            raise RuntimeError(self._name)
        self._notes.append(f"+{self._name}")

    async def stop(self) -> None:
        self._notes.append(f"-{self._name}")


def test_parts_stop_in_the_reverse_of_their_start() -> None:
    notes: list[str] = []

    async def live() -> None:
        async with lifetime([Part("a", notes), Part("b", notes)])(None):
            notes.append("served")

    asyncio.run(live())
    assert notes == ["+a", "+b", "served", "-b", "-a"]


def test_a_part_that_does_not_start_stops_those_before_it() -> None:
    notes: list[str] = []

    async def live() -> None:
        async with lifetime([Part("a", notes), Part("b", notes, fails=True)])(None):
            notes.append("served")

    with pytest.raises(RuntimeError, match="b"):
        asyncio.run(live())
    assert notes == ["+a", "-a"]


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str], str]:
    """What a gateway with this tiergate.toml says instead of starting."""

    def ask(toml: str) -> str:
        (tmp_path / "tiergate.toml").write_text(toml)
        with pytest.raises((SettingsError, ContractError)) as caught:
            build(load_settings({"TIERGATE_HOME": str(tmp_path / "home")}, tmp_path))
        return str(caught.value)

    return ask


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        (
            '[systems.erp]\nconnector = "sap"',
            "tiergate.toml: systems.erp.connector is 'sap'; the erp API has: embedded.",
        ),
        ("[systems.erpp]", "tiergate.toml: systems.erpp is no system API of this gateway."),
        ("[systems.logistics.settings]\npick_after = 1", "systems.logistics.settings.pick_after is not a setting"),
        ("[policies.rate_limits]", "tiergate.toml: policies.rate_limits is no policy; there are audiences"),
        ('[policies.rate_limit]\nsystem = "fast"', "tiergate.toml: policies.rate_limit"),
        ('[grants]\n"portal.v1" = ["erp.v1.get_product"]', "grants can only narrow its needs"),
        ('[grants]\n"shop.v1" = []', "[grants] names shop.v1, which is no API here."),
    ],
)
def test_a_gateway_that_is_told_nonsense_says_so_before_it_starts(
    refused: Callable[[str], str], toml: str, sentence: str
) -> None:
    assert sentence in refused(toml)
