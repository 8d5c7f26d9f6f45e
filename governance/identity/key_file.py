"""The gateway's own signing keys: one JWK Set (RFC 7517) in a file that only its owner can read.

Several processes of one gateway may start at once: exactly one of them makes the file, all read
the same keys. The file appears whole or not at all. The first key signs; every key verifies, so
that a former one stays valid while its last tokens live.
"""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization, OKPKey

ALGORITHM = "Ed25519"
"""RFC 9864 §2.2: the fully specified name of what RFC 8037 calls EdDSA."""

OTHERS = 0o077


class KeyFileError(ValueError):
    """The key file can't be used; the message says what to do."""


class KeyFile:
    """Ed25519 keys in the file at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load_or_create(self) -> tuple[OKPKey, ...]:
        """The keys, the signing one first; a new one is made where there is no file.

        Raises:
            KeyFileError: others can read the file, it is no key file, or it can't be written.
        """
        try:
            if not self.path.exists():
                self._create()
            return self._read()
        except OSError as error:
            raise KeyFileError(f"The key file {self.path} can't be used: {error.strerror or error}.") from error

    def _create(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
        content = msgspec.json.encode({"keys": [key.as_dict(private=True)]})
        draft = self.path.with_name(f".{self.path.name}.{token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, self.path)
        except FileExistsError:
            pass  # another process of this gateway was first: its keys are the keys
        finally:
            draft.unlink()

    def _read(self) -> tuple[OKPKey, ...]:
        if self.path.stat().st_mode & OTHERS:
            raise KeyFileError(f"The key file {self.path} can be read by others: chmod 600 it, or delete it.")
        try:
            serialized = msgspec.json.decode(self.path.read_bytes(), type=KeySetSerialization, strict=False)
            keys = KeySet.import_key_set(serialized).keys
        except (msgspec.MsgspecError, JoseError, ValueError, KeyError, TypeError) as error:
            raise KeyFileError(f"The key file {self.path} holds no JWK Set: restore it, or delete it.") from error
        own = tuple(key for key in keys if isinstance(key, OKPKey) and key.is_private and key.alg == ALGORITHM)
        if not own:
            raise KeyFileError(f"The key file {self.path} holds no private {ALGORITHM} key: restore it, or delete it.")
        return own
