"""``tiergate keys`` and ``tiergate users``."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import tiergate
from gateway.cli.failure import Failure
from governance.consumers import Secret


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIERGATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments: str) -> list[str]:
    result = CliRunner().invoke(tiergate, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_a_rotated_key_is_published_and_signs_later(home: Path) -> None:
    (first,) = said("keys", "list")
    assert first.endswith("signs now")
    (new,) = said("keys", "rotate")
    assert "signs from" in new
    former, coming = said("keys", "list")
    assert former.startswith(first.split()[0])
    assert "signs now, leaves" in former
    assert coming == new
    assert (home / "keys" / "issuer.json").stat().st_mode & 0o777 == 0o600


def test_a_compromised_key_is_gone(home: Path) -> None:
    (first,) = said("keys", "list")
    (new,) = said("keys", "rotate", "--compromised")
    assert said("keys", "list") == [f"{new.split()[0]}  signs now"]
    assert first.split()[0] != new.split()[0]
    assert home.exists()


def test_a_key_file_that_can_not_be_used_is_one_sentence(home: Path) -> None:
    said("keys", "list")
    (home / "keys" / "issuer.json").write_text("no keys")
    with pytest.raises(Failure, match="holds no JWK Set"):
        CliRunner().invoke(tiergate, ["keys", "rotate"], catch_exceptions=False)


def test_the_hash_of_a_password_recognises_it() -> None:
    (line,) = said("users", "hash", "--password", "a good password")
    assert Secret.hashed(line).matches("a good password")
    assert not Secret.hashed(line).matches("another password")


def test_a_short_password_is_refused() -> None:
    with pytest.raises(Failure, match="10 characters"):
        CliRunner().invoke(tiergate, ["users", "hash", "--password", "short"], catch_exceptions=False)
