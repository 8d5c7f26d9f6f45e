"""Client secrets: hashed at rest, compared in constant time, remembered without the secret."""

from __future__ import annotations

import hashlib

import pytest

from governance.consumers import ConsumerError, Secret, hash_secret


def test_a_known_secret_matches_itself_only() -> None:
    secret = Secret.known("correct horse battery")
    assert secret.matches("correct horse battery")
    assert not secret.matches("correct horse batterx")
    assert not secret.matches("")


def test_a_hash_matches_its_secret_only_and_two_hashes_differ() -> None:
    first, second = hash_secret("correct horse battery"), hash_secret("correct horse battery")
    assert first != second
    assert Secret.hashed(first).matches("correct horse battery")
    assert not Secret.hashed(first).matches("wrong")


def test_a_secret_that_scrypt_accepted_is_not_hashed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Secret.hashed(hash_secret("correct horse battery"))
    assert secret.matches("correct horse battery")
    monkeypatch.delattr(hashlib, "scrypt")
    assert secret.recognises("correct horse battery")
    assert secret.matches("correct horse battery")
    with pytest.raises(AttributeError):  # anything else it hashes
        secret.matches("wrong")
    monkeypatch.undo()
    assert not secret.matches("wrong")


def test_no_secret_matches_an_empty_one() -> None:
    assert not Secret().matches("")
    assert not Secret.hashed(hash_secret("correct horse battery")).matches("")


def test_a_secret_is_never_shown() -> None:
    assert repr(Secret.known("correct horse battery")) == "***"
    assert "correct" not in hash_secret("correct horse battery")


@pytest.mark.parametrize(
    "text",
    ["scrypt:", "scrypt:1:2:3", "scrypt:a:8:1:AAAA:AAAA", "bcrypt:16384:8:1:AAAA:AAAA", "scrypt:16384:8:1:?:?"],
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ConsumerError, match="scrypt"):
        Secret.hashed(text)


def test_a_weak_or_ruinous_hash_is_refused() -> None:
    strong = hash_secret("correct horse battery")
    for weak in (strong.replace(":16384:", ":1024:"), strong.replace(":16384:", ":1048576:")):
        with pytest.raises(ConsumerError, match="needs n from"):
            Secret.hashed(weak)
