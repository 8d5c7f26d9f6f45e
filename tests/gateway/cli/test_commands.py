"""What each command prints, and how it fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import tiergate
from gateway.cli.failure import Failure


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, wide enough a terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("TIERGATE_HOME", raising=False)
    return tmp_path


def run(*arguments: str) -> str:
    """The output of a command that works."""
    result = CliRunner().invoke(tiergate, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def fails(*arguments: str) -> Failure:
    """How a command fails."""
    with pytest.raises(Failure) as caught:
        CliRunner().invoke(tiergate, list(arguments), catch_exceptions=False)
    return caught.value


def test_help_lists_every_command(here: Path) -> None:
    said = run("--help")
    for name in ("apis", "contracts", "demo", "serve", "settings", "token"):
        assert f"\n  {name} " in said


def test_apis_shows_owner_and_callers(here: Path) -> None:
    rows = [line.split() for line in run("apis").splitlines()]
    at = next(place for place, row in enumerate(rows) if row[:2] == ["system", "erp"])
    erp = rows[at]
    assert [rows[at + 2], rows[at + 3]] == [["events.v1"], ["order_to_fulfillment.v1"]]
    assert erp[2:6] == ["v1", "current", "Finance", "systems"]
    assert erp[-1] == "catalogue.v1"
    portal = next(row for row in rows if row[:2] == ["experience", "portal"])
    assert portal[-1] == "clients"


def test_apis_lists_operations_with_their_scope(here: Path) -> None:
    assert "GET /system/erp/v1/products/{sku}" in run("apis", "--operations")


def test_settings_shows_what_was_set_and_hides_secrets(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB", "postgresql://tiergate:hidden@db/tiergate")
    monkeypatch.setenv("TIERGATE_PORT", "9000")
    (here / "tiergate.toml").write_text("[database]\nurl = 'env:DB'")
    said = run("settings")
    assert "*** (env:DB)" in said
    assert "TIERGATE_PORT" in said
    assert "hidden" not in said
    assert "gateway.drain_s" not in said
    assert "gateway.drain_s" in run("settings", "--all")


def test_broken_settings_stop_every_command_that_reads_them(here: Path) -> None:
    (here / "tiergate.toml").write_text("[gatewy]")
    for command in (("settings",), ("apis",), ("token", "--client", "x"), ("serve",)):
        failure = fails(*command)
        assert failure.sentences == ("tiergate.toml: gatewy is not a setting; did you mean gateway?",)
        assert failure.exit_code == 2


def test_token_without_a_gateway(here: Path) -> None:
    failure = fails("token", "--client", "portal-demo", "--url", "http://127.0.0.1:9")
    assert "No gateway answers at http://127.0.0.1:9" in failure.sentences[0]
    assert failure.exit_code == 1


def test_documents_are_exported_once_and_found_stale_when_touched(here: Path) -> None:
    assert "openapi/system/erp/v1.json: written" in run("contracts", "export")
    assert "agrees with its contract" in run("contracts", "export", "--check")
    document = here / "openapi" / "system" / "erp" / "v1.json"
    document.write_text("{}")
    failure = fails("contracts", "export", "--check")
    assert failure.sentences[0] == "openapi/system/erp/v1.json: differs from the contracts and policies."
    assert document.read_text() == "{}"
