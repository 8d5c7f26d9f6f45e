"""``[[issuers]]``: several at once, each with its own rules; what can't be safe is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.composition.identity import external_issuers
from gateway.settings import Settings, SettingsError, load_settings
from governance.call import ManualClock

AUTH0 = """
[[issuers]]
issuer = "https://company.example/"
token_type = "JWT"
algorithms = ["RS256"]
audiences = { process = ["api://process"], experience = [] }
account_claim = "https://company.example/accounts"
client_claim = "azp"
scope_claim = "scp"
leeway_s = 5
introspection = "always"
introspection_client_id = "tiergate"
introspection_client_secret = "env:ASK"
[[issuers]]
issuer = "http://127.0.0.1:8080/realms/shop"
"""


def load(folder: Path, text: str) -> Settings:
    (folder / "tiergate.toml").write_text(text)
    return load_settings({"TIERGATE_HOME": str(folder / "var"), "ASK": "s3cret"}, folder)


def test_each_issuer_has_its_own_rules(tmp_path: Path) -> None:
    first, second = external_issuers(load(tmp_path, AUTH0), ManualClock())
    assert (first.token_type, first.algorithms, first.leeway_s) == ("jwt", ("RS256",), 5)
    assert first.audiences == {"process": ("api://process",), "experience": ()}
    assert (first.client_claim, first.scope_claim) == ("azp", "scp")
    assert first.introspection is not None
    assert first.introspection.use == "always"
    assert (second.token_type, second.introspection, second.audiences) == ("at+jwt", None, {})


def test_the_secret_is_never_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, AUTH0)
    assert "s3cret" not in repr(settings.show())
    assert "s3cret" not in repr(settings.issuers)


@pytest.mark.rule("RFC 9700 §2.6", "An issuer is reached over TLS; http only on this machine")
@pytest.mark.parametrize(
    "url",
    [
        "http://id.example",
        "http://localhost.evil.example",
        "http://localhost:80@evil.example",
        "https://user@id.example",
        "http://10.0.0.1",
        "https://id.example?x=1",
        "https://id.example#x",
        "ftp://id.example",
        "https://",
    ],
)
def test_an_issuer_is_https_or_on_this_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"issuers\[0\].issuer must be an https URL"):
        load(tmp_path, f'[[issuers]]\nissuer = "{url}"')
    with pytest.raises(SettingsError, match=r"issuers\[0\].jwks_url must be an https URL"):
        load(tmp_path, f'[[issuers]]\nissuer = "https://id.example"\njwks_url = "{url}"')


@pytest.mark.rule("RFC 8725 §3.1", "Only asymmetric algorithms can be allowed")
@pytest.mark.parametrize("algorithms", ['["none"]', '["HS256"]', '["RS256", "HS512"]', "[]"])
def test_algorithms_are_asymmetric(tmp_path: Path, algorithms: str) -> None:
    with pytest.raises(SettingsError, match=r"issuers\[0\].algorithms"):
        load(tmp_path, f'[[issuers]]\nissuer = "https://id.example"\nalgorithms = {algorithms}')


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ('introspection = "always"', "needs introspection_client_id and introspection_client_secret"),
        ('introspection_client_secret = "plain"', "is a secret: write env:NAME"),
        ('audience = "a"\naudiences = { system = ["b"] }', "has both audience and audiences"),
        ('audiences = { systems = ["b"] }', "audiences"),
        ('token_type = "anything"', "must be at\\+jwt or JWT"),
        ('[[issuers]]\nissuer = "https://id.example"', "name one issuer twice"),
    ],
)
def test_what_does_not_fit_together_is_said(tmp_path: Path, more: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load(tmp_path, f'[[issuers]]\nissuer = "https://id.example"\n{more}')
