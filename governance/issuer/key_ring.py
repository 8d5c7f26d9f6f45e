"""The issuer's signing keys over their lives: published before they sign, and until their last token ends.

The keys are one JWK Set in a file, with two members of ours that are not published: ``signs_from``
and ``leaves_at``, in seconds since 1970 UTC as text. ``rotate`` writes the file anew in one step, and
running processes see it within ``LOOK_S``. A file that can't be read any more changes nothing: the
keys that are known go on, and a warning is logged.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

import msgspec
from joserfc.jwk import Key, OKPKey

from governance.call import Clock
from governance.identity import KeyFile, KeyFileError
from governance.identity.key_file import ALGORITHM
from governance.identity.key_sources import choose

LOOK_S = 1.0
PUBLICATION_S = 600
"""How long a new key is published before it signs: twice as long as verifiers may keep the published set."""
LEEWAY_S = 60
SIGNS_FROM, LEAVES_AT = "signs_from", "leaves_at"
log = logging.getLogger("tiergate.issuer")


class KeyRing:
    """The keys in the file at ``path``, which is made where there is none.

    Raises:
        KeyFileError: the file can't be used.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = KeyFile(path)
        self._clock = clock
        self._keys = self._file.load_or_create()
        self._seen = self._stamp()
        self._look_at = clock.monotonic() + LOOK_S

    def signing(self) -> OKPKey:
        """The key that signs now: of those whose time has come, the newest."""
        now = self._now()
        ready = [key for key in self._current() if starts(key) <= now and not _over(key, now)]
        return max(ready, key=starts) if ready else self._keys[0]

    def published(self) -> tuple[OKPKey, ...]:
        """The keys whose tokens may still live, and those that will sign soon."""
        now = self._now()
        return tuple(key for key in self._current() if not _over(key, now))

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The published key for a token header's ``kid`` and ``alg``, or None."""
        return choose(self.published(), kid, algorithm)

    def rotate(self, *, publication_s: int, token_lifetime_s: int) -> OKPKey:
        """Add a key that signs after ``publication_s``; the former ones leave when their last token has ended.

        Raises:
            KeyFileError: the file can't be read or written.
        """
        starts_at = self._now() + publication_s
        return self._replace(starts_at, starts_at + token_lifetime_s + LEEWAY_S)

    def replace(self) -> OKPKey:
        """Sign with a new key at once and refuse everything that a former one signed: it may be in wrong hands.

        Raises:
            KeyFileError: the file can't be read or written.
        """
        return self._replace(self._now(), self._now())

    def _replace(self, starts_at: int, leave_at: int) -> OKPKey:
        now = self._now()
        with _alone(self._file.path):
            former = [_until(key, leave_at) for key in self._file.load_or_create()]
            made = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
            new = OKPKey.import_key({**_private(made), SIGNS_FROM: str(starts_at)})
            kept = [key for key in former if not _over(key, now)]
            _write(self._file.path, [_private(key) for key in (*kept, new)])
        self._look_at = 0.0
        return new

    def _current(self) -> tuple[OKPKey, ...]:
        if self._clock.monotonic() >= self._look_at:
            self._look_at = self._clock.monotonic() + LOOK_S
            stamp = self._stamp()
            if stamp != self._seen:
                self._read_again(stamp)
        return self._keys

    def _read_again(self, stamp: tuple[int, int]) -> None:
        try:
            self._keys = self._file.load_or_create()
            self._seen = stamp
        except KeyFileError as error:
            log.warning("The keys stay as they are: %s", error)

    def _stamp(self) -> tuple[int, int]:
        try:
            found = self._file.path.stat()
        except OSError:
            return self._seen  # a file that is gone is not made anew under running processes
        return found.st_ino, found.st_mtime_ns

    def _now(self) -> int:
        return int(self._clock.now().timestamp())


def starts(key: Key) -> int:
    """From when the key signs, in seconds since 1970 UTC; 0 for the first one."""
    return _seconds(key, SIGNS_FROM) or 0


def leaves(key: Key) -> int | None:
    """When the key leaves the published set, in seconds since 1970 UTC; None while it is the newest."""
    return _seconds(key, LEAVES_AT)


def _seconds(key: Key, member: str) -> int | None:
    value = key.as_dict(private=False).get(member)
    return int(value) if isinstance(value, str) else None


def _over(key: Key, now: int) -> bool:
    at = leaves(key)
    return at is not None and at <= now


def _until(key: OKPKey, leave_at: int) -> OKPKey:
    known = leaves(key)
    at = leave_at if known is None else min(known, leave_at)
    return OKPKey.import_key({**_private(key), LEAVES_AT: str(at)})


def _private(key: OKPKey) -> dict[str, Any]:
    return {**key.as_dict(private=True)}


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Keep other rotations of this file out meanwhile."""
    try:
        with path.with_name(f".{path.name}.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise KeyFileError(f"The key file {path} can't be written: {error.strerror or error}.") from error


def _write(path: Path, keys: list[dict[str, Any]]) -> None:
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode({"keys": keys}))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
