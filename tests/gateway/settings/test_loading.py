"""What holds when everything is right: precedence, defaults, derived settings and their sources."""

from __future__ import annotations

from pathlib import Path

from gateway.settings import Settings, load_settings


def load(folder: Path, toml: str = "", **environ: str) -> Settings:
    (folder / "tiergate.toml").write_text(toml)
    return load_settings(environ, folder)


def test_an_empty_folder_gives_the_quick_start(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    assert settings.home == tmp_path / "var"
    assert settings.config is None
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.gateway.tiers == ("system", "process", "experience")
    assert settings.embedded_issuer
    assert settings.demo_clients


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "[gateway]\nport = 9000\nworkers = 2", TIERGATE_PORT="9001", TIERGATE_HOME="state")
    assert (settings.gateway.port, settings.gateway.workers) == (9001, 2)
    assert settings.home == tmp_path / "state"


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "[gateway]\nport = 9000", TIERGATE_PORT="").gateway.port == 9000


def test_a_configuration_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "gate.toml").write_text("[gateway]\nport = 9000")
    settings = load_settings({"TIERGATE_CONFIG": "etc/gate.toml"}, tmp_path)
    assert settings.gateway.port == 9000
    assert settings.config == tmp_path / "etc" / "gate.toml"


def test_one_file_configures_three_split_processes(tmp_path: Path) -> None:
    toml = "[placement]\nsystem = 'http://127.0.0.1:8001'\nprocess = 'http://127.0.0.1:8002'"
    settings = load(tmp_path, toml, TIERGATE_TIERS="process, experience")
    assert settings.remote_url("system") == "http://127.0.0.1:8001"
    assert settings.remote_url("process") == ""


def test_addresses(tmp_path: Path) -> None:
    assert load(tmp_path, TIERGATE_HOST="0.0.0.0").local_url == "http://127.0.0.1:8000"
    assert load(tmp_path, TIERGATE_HOST="::1").local_url == "http://[::1]:8000"
    assert load(tmp_path, "[gateway]\npublic_url = 'https://api.example'").public_url == "https://api.example"


def test_demo_clients_live_on_loopback_with_the_embedded_issuer_only(tmp_path: Path) -> None:
    assert not load(tmp_path, TIERGATE_HOST="0.0.0.0").demo_clients
    external = load(tmp_path, "[[issuers]]\nissuer = 'https://id.example'")
    assert not external.demo_clients
    assert not external.embedded_issuer


def test_every_setting_shows_its_source(tmp_path: Path) -> None:
    settings = load(tmp_path, "[gateway]\nworkers = 2\n[policies.audit]\nkeep_days = 30", TIERGATE_PORT="9001")
    rows = {row.key: (row.value, row.source) for row in settings.show()}
    assert rows["gateway.port"] == ("9001", "TIERGATE_PORT")
    assert rows["gateway.workers"] == ("2", "tiergate.toml")
    assert rows["gateway.host"] == ('"127.0.0.1"', "default")
    assert rows["policies.audit.keep_days"] == ("30", "tiergate.toml")
