"""Where a running gateway's settings came from, to be read again.

``read`` is what ``load_settings`` would say now. ``fingerprint`` changes exactly when the file or one
of the files that it names as secrets changes, whichever way it was replaced: a rename, a symbolic
link that points elsewhere, a write in place. The environment of a process does not change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from gateway.settings.loading import CONFIG, FILE_NAME, load_settings
from gateway.settings.reading import SettingsError
from gateway.settings.sections import Settings

NAMED_FILE = re.compile(rb"""["']file:([^"'\n]+)["']""")
ABSENT = b"absent"
PORT = "TIERGATE_PORT"


class SettingsSource:
    """The environment and the folder in which the gateway that listens on ``port`` read ``settings``."""

    def __init__(self, environ: Mapping[str, str], cwd: Path, settings: Settings, port: int) -> None:
        self._cwd = cwd
        self._path = Path(cwd, Path(environ.get(CONFIG) or FILE_NAME).expanduser())
        self._had_file = settings.config is not None
        self._environ = {**environ, PORT: str(port)} if settings.gateway.port == 0 else environ

    def read(self) -> Settings:
        """The settings as they are written now.

        Raises:
            SettingsError: with every violation; a file that has gone is one, and no wish for the defaults.
        """
        if self._had_file and not self._path.exists():
            raise SettingsError([f"{self._path.name} has gone; write it again, or stop the gateway."])
        found = load_settings(self._environ, self._cwd)
        self._had_file = found.config is not None
        return found

    def fingerprint(self) -> bytes:
        """A digest of everything that is read."""
        text = _content(self._path)
        folder = self._path.resolve().parent
        digest = hashlib.sha256(text)
        for name in NAMED_FILE.findall(text):
            digest.update(b"\0" + _content(Path(folder, name.decode(errors="replace")).expanduser()))
        return digest.digest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return ABSENT
