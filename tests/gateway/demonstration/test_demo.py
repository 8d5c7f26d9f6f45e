"""``tiergate demo`` tells one order from price to invoice, with a gateway of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.gateway.serving.gateway_process import running


def test_it_ends_with_the_timeline_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=150, check=False)
    assert ended.returncode == 0, ended.stderr
    for said in ("portal.v1.place_order", "erp.v1.reserve_stock", "completed", "Invoice INV-", "The order's timeline"):
        assert said in ended.stdout
    assert "write back" in ended.stdout.splitlines()[-2]
    assert running("tiergate-demo-") == []


def test_an_address_without_a_gateway(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--url", "http://127.0.0.1:9"]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=40, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("tiergate: No gateway answers at http://127.0.0.1:9")
