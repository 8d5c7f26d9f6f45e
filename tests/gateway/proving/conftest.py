"""Gateways as real processes, whole ones and faulty ones, and ``tiergate prove`` on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from gateway.cli import tiergate
from tests.gateway.serving.gateway_process import Gateway

HERE = Path(__file__).parent
CONFIGURATION = """
[policies.authentication]
failure_burst = 100000
failures_per_s = 10000

[policies.rate_limit]
local_share = 1.0
"""
"""As many bad tokens as there are probes, at once; and one limit also where a busy machine keeps the store from answering."""


class Proved(NamedTuple):
    """What one run of the command left behind."""

    exit_code: int
    output: str
    evidence: Path

    @property
    def records(self) -> list[dict[str, Any]]:
        (file,) = self.evidence.glob("*.jsonl")
        return [json.loads(line) for line in file.read_text().splitlines()]


class Served:
    """One served gateway."""

    def __init__(self, folder: Path, app: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.config = folder / "tiergate.toml"
        self.config.write_text(CONFIGURATION)
        self.process = Gateway(self.home, "--config", str(self.config), app=app).ready()
        self.runs = 0

    def prove(self, *options: str, home: Path | None = None) -> Proved:
        """Run the command against it, as from the machine of its home."""
        self.runs += 1
        evidence = self.folder / f"evidence-{self.runs}"
        where = ["--url", self.process.url, "--home", str(home or self.home), "--config", str(self.config)]
        arguments = ["prove", *where, "--evidence", str(evidence), "--rate", "10000", *options]
        result = CliRunner().invoke(tiergate, arguments, catch_exceptions=False)
        return Proved(result.exit_code, result.stdout, evidence)

    def stop(self) -> None:
        self.process.process.kill()
        self.process.process.communicate()


def served(folder: Path, app: str) -> Iterator[Served]:
    one = Served(folder, app)
    yield one
    one.stop()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway as it is."""
    yield from served(tmp_path_factory.mktemp("whole"), "gateway.app:create_app")


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The gateway with one operation open to every token."""
    yield from served(tmp_path_factory.mktemp("faulty"), "tests.gateway.proving.faulty_gateway:create_app")
