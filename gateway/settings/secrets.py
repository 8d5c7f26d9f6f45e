"""Secrets: named in tiergate.toml as ``env:NAME`` or ``file:PATH``, never written there.

A text that names a source is replaced by what the source holds, wherever it stands. A key that
means a secret (``…_secret``, ``password``, ``token``, ``private_key`` …) and a URL that carries a
password are refused as literals, scrypt hashes apart. What is read is a ``Secret``: text that shows
itself as ``***``. ``[consumers]`` keeps its references, which ``Settings.secret`` reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

SECRET_KEY = re.compile(r"(?:.*[_-])?(?:secrets?|passwords?|passphrase|tokens?|private[_-]key|api[_-]?key)\Z")
PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
SHOWN = "***"
SOURCES = ("env:", "file:")
HASHED = "scrypt:"


class Secret(str):
    """A text that no log, traceback or table shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return SHOWN


class SecretResolver:
    """Replaces ``env:NAME`` and ``file:PATH`` by what they hold and collects what is wrong."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self.violations: list[tuple[str, str]] = []
        """Pairs of key path and sentence."""
        self.found: dict[str, Secret] = {}
        """Every reference that was met, and what it holds."""

    def resolve(self, value: Any, path: str = "", *, secret: bool = False) -> Any:
        """``value`` with its references replaced; ``secret`` demands that its texts are references."""
        if isinstance(value, dict):
            table = cast("dict[str, Any]", value)
            return {key: self.resolve(item, join(path, key), secret=is_secret(key)) for key, item in table.items()}
        if isinstance(value, list):
            items = cast("list[Any]", value)
            return [self.resolve(item, f"{path}[{place}]", secret=secret) for place, item in enumerate(items)]
        if not isinstance(value, str):
            return value
        if value.startswith(SOURCES):
            self.found[value] = self._read(value, path)
            return value if path.startswith("consumers.") else self.found[value]
        if secret and value and not value.startswith(HASHED):
            self._refuse(path, "is a secret: write env:NAME or file:PATH, never the secret itself.")
        elif PASSWORD_IN_URL.match(value):
            self._refuse(path, "holds a password: keep the whole URL in a variable and write env:NAME here.")
        return value

    def _read(self, reference: str, path: str) -> Secret:
        source, _, name = reference.partition(":")
        return self._from_environment(name, path) if source == "env" else self._from_file(name, path)

    def _from_environment(self, name: str, path: str) -> Secret:
        value = self._environ.get(name, "")
        if not value:
            self._refuse(path, f"names the environment variable {name}, which is not set.")
        return Secret(value)

    def _from_file(self, name: str, path: str) -> Secret:
        try:
            value = (self._folder / name).expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            self._refuse(path, f"names the file {name}, which can't be read ({reason(error)}).")
            return Secret("")
        if not value:
            self._refuse(path, f"names the file {name}, which is empty.")
        return Secret(value)

    def _refuse(self, path: str, sentence: str) -> None:
        self.violations.append((path, sentence))


def is_secret(key: str) -> bool:
    """Whether a key of this name holds a secret."""
    return SECRET_KEY.match(key) is not None


def join(path: str, key: str) -> str:
    """The key path of ``key`` under ``path``."""
    return f"{path}.{key}" if path else key


def reason(error: OSError | UnicodeDecodeError) -> str:
    """What went wrong, in the operating system's words where it has some."""
    if isinstance(error, OSError):
        return (error.strerror or type(error).__name__).lower()
    return "it is not UTF-8 text"


def masked(value: Any) -> Any:
    """``value`` as it may be shown: references stay, what they hold and hashes don't."""
    if isinstance(value, list | tuple):
        return [masked(item) for item in cast("list[Any]", value)]
    if isinstance(value, Secret):
        return SHOWN
    return f"{HASHED}{SHOWN}" if isinstance(value, str) and value.startswith(HASHED) else value
