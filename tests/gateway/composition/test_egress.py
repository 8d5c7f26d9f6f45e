"""Egress as tiergate.toml sets it: what is documented can be read, what is wrong is said in a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.app import build
from gateway.composition.application import Tiergate
from gateway.composition.egress import vendor_settings
from gateway.settings import Settings, SettingsError, load_settings
from governance.egress.breaker import BreakerSettings

DOCUMENTED = Path(__file__).parents[3] / "docs" / "egress.md"


def settings(folder: Path, text: str) -> Settings:
    (folder / "tiergate.toml").write_text(text)
    return load_settings({}, folder)


def built(folder: Path, text: str) -> Tiergate:
    return build(settings(folder, text))


def test_what_is_documented_can_be_set(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)
    assert len(blocks) == 2
    read = settings(tmp_path, "\n".join(blocks))
    erp = vendor_settings("erp", read)
    assert (erp.concurrency, erp.quota_window_s, erp.priorities["nightly-export"]) == (4, 3600, "low")
    assert erp.maintenance[0].days == ("sun",)
    assert erp.breaker == BreakerSettings()
    assert vendor_settings("crm", read).concurrency == 0
    build(read)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[egress]\nretry_percent = 60", "egress.retry_percent must be a share from 0 to 50 percent, not 60."),
        ("[egress]\nretry_percents = 5", "egress.retry_percents is not a setting; did you mean retry_percent?"),
        ("[egress]\nguarded_exempt = ['10.0.0.1/8']", "has host bits set"),
        (
            "[systems.erp.egress]\nconcurency = 4",
            "systems.erp.egress.concurency is not a setting; did you mean concurrency?",
        ),
        (
            "[systems.erp.egress]\nbreaker = { percent = 0 }",
            "systems.erp.egress.breaker.percent must be a share from 1 to 100",
        ),
        (
            "[systems.erp.egress]\npriorities = { a = 'urgent' }",
            "systems.erp.egress.priorities.a must be high or normal or low",
        ),
        ("[systems.erp.egress]\nmaintenance = [{ from = '02:00', until = '04:00', zone = 'Mars' }]", "is no time zone"),
        (
            "[systems.erp.egress]\nmaintenance = [{ from = '02:00' }]",
            "systems.erp.egress.maintenance[0].until is missing.",
        ),
    ],
)
def test_what_is_wrong_is_said_at_start(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(tmp_path, text)
    assert sentence in str(caught.value)
    assert "tiergate.toml" in str(caught.value)
