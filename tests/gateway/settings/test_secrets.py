"""Secrets come by reference, and nothing shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import Secret, Settings, SettingsError, load_settings

HASH = "scrypt:16384:8:1:c2FsdHNhbHRzYWx0c2FsdA==:aGFzaA=="


def load(folder: Path, toml: str, **environ: str) -> Settings:
    (folder / "tiergate.toml").write_text(toml)
    return load_settings(environ, folder)


def refused(folder: Path, toml: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(folder, toml, **environ)
    return caught.value.violations


def test_a_variable_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, "[database]\nurl = 'env:DB'", DB="postgresql://u:pw@h/d")
    assert settings.database.url == "postgresql://u:pw@h/d"


def test_a_file_is_read_beside_the_configuration_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    settings = load(tmp_path, "[systems.erp.settings]\napi_key = 'file:key'")
    assert settings.systems["erp"].settings["api_key"] == "s3cret"


def test_consumers_keep_the_reference_which_settings_read(tmp_path: Path) -> None:
    settings = load(tmp_path, f"[consumers.acme]\nsecrets = ['env:PW', '{HASH}']", PW="long enough a secret")
    assert settings.consumers["acme"]["secrets"] == ["env:PW", HASH]
    assert settings.secret("env:PW") == "long enough a secret"
    with pytest.raises(ValueError, match="env:OTHER does not stand"):
        settings.secret("env:OTHER")


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    toml = f"""
    [database]
    url = "env:DB"
    [consumers.acme]
    secrets = ["env:PW", "{HASH}"]
    [systems.erp.settings]
    hosts = ["env:HOST"]
    """
    settings = load(tmp_path, toml, DB="postgresql://u:hidden@h/d", PW="hidden-secret", HOST="hidden-host")
    assert "hidden" not in repr(settings)
    shown = {row.key: row.value for row in settings.show()}
    assert shown["database.url"] == "*** (env:DB)"
    assert shown["consumers.acme.secrets"] == '["env:PW", "scrypt:***"]'
    assert "hidden" not in repr(shown)


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("[consumers.a]\nsecret = 'hunter2'", "consumers.a.secret is a secret: write env:NAME or file:PATH, never the "
         "secret itself."),
        ("[consumers.a]\nsecrets = ['x']", "consumers.a.secrets[0] is a secret: write env:NAME or file:PATH, never the "
         "secret itself."),
        ("[systems.erp.settings]\nclient_secret = 'x'", "systems.erp.settings.client_secret is a secret: write env:NAME "
         "or file:PATH, never the secret itself."),
        ("[database]\nurl = 'postgresql://a:b@c/d'", "database.url holds a password: keep the whole URL in a variable and "
         "write env:NAME here."),
        ("[store]\nurl = 'redis://:b@c'", "store.url holds a password: keep the whole URL in a variable and write "
         "env:NAME here."),
        ("[store]\nurl = 'env:NOPE'", "store.url names the environment variable NOPE, which is not set."),
        ("[store]\nurl = 'file:nope'", "store.url names the file nope, which can't be read (no such file or directory)."),
        ("[store]\nurl = 'file:empty'", "store.url names the file empty, which is empty."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_without_the_secret(tmp_path: Path, toml: str, sentence: str) -> None:
    (tmp_path / "empty").touch()
    assert refused(tmp_path, toml) == (f"tiergate.toml: {sentence}",)


def test_a_wrong_value_behind_a_reference_is_not_repeated(tmp_path: Path) -> None:
    (sentence,) = refused(tmp_path, "[store]\nurl = 'env:URL'", URL="hidden")
    assert sentence.endswith("not the value that it names.")
    assert "hidden" not in sentence


def test_a_secret_is_text_that_hides_itself() -> None:
    secret = Secret("x")
    assert secret == "x"
    assert repr([secret]) == "[***]"
