"""The configuration that docs/limits.md shows is one."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.composition.plans import plans_of
from gateway.settings import load_settings, read_section
from governance.contract.discovery import discover_apis
from governance.policies.rate_limit import Quota, RateLimit, Settings
from governance.wire.peer import TrustedProxies

DOCUMENT = Path(__file__).parents[3] / "docs" / "limits.md"


def test_what_the_document_shows_is_enforced(tmp_path: Path) -> None:
    (tmp_path / "tiergate.toml").write_text(
        "\n".join(re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    )
    settings = load_settings({}, tmp_path)
    operations = {operation.id for api in discover_apis() for operation in api.api.operations}
    (gold,) = plans_of(settings, operations)
    assert gold.rates == {"experience": RateLimit.parse("60000/60s burst 5000")}
    assert list(gold.operations.values()) == [RateLimit.parse("60/60s burst 10")]
    assert gold.quotas == (
        Quota(200_000, "day", "Europe/Berlin"),
        Quota(3_000_000, "month", "Europe/Berlin", "experience"),
    )
    assert settings.consumers["shop"]["plan"] == "gold"
    limits = read_section(settings.policies["rate_limit"], Settings, file="limits.md", path="policies.rate_limit")
    assert limits == Settings()
    proxies = TrustedProxies(settings.gateway.trusted_proxies, settings.gateway.forwarded_header)
    assert proxies.peer("10.1.1.1", [(b"x-forwarded-for", b"1.1.1.1, 203.0.113.9")]) == "203.0.113.9"
