"""The key file: made once by whoever is first, for its owner's eyes, and whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from governance.identity import KeyFile, KeyFileError


def test_it_is_made_once_and_read_again(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys" / "issuer.json")
    first, second = file.load_or_create(), KeyFile(file.path).load_or_create()
    assert [key.kid for key in first] == [key.kid for key in second]
    assert first[0].alg == "Ed25519"
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["issuer.json"]


def test_many_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    path = tmp_path / "hop.json"
    with ThreadPoolExecutor(8) as pool:
        kids = {keys[0].kid for keys in pool.map(lambda _: KeyFile(path).load_or_create(), range(16))}
    assert len(kids) == 1


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "hop.json")
    file.load_or_create()
    file.path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        file.load_or_create()


@pytest.mark.parametrize("content", [b"", b"{}", b"nonsense", b'{"keys":[]}', b'{"keys":[{"kty":"OKP"}]}', b"\xff"])
def test_a_file_without_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    file = KeyFile(tmp_path / "hop.json")
    file.path.touch(mode=0o600)
    file.path.write_bytes(content)
    with pytest.raises(KeyFileError, match="restore it, or delete it"):
        file.load_or_create()


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    import json

    file = KeyFile(tmp_path / "hop.json")
    file.path.touch(mode=0o600)
    file.path.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}))
    with pytest.raises(KeyFileError, match="no private Ed25519 key"):
        file.load_or_create()


def test_a_place_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(KeyFileError, match="can't be used"):
        KeyFile(tmp_path / "keys" / "hop.json").load_or_create()
