"""The home folder: where all local state lives.

``serve.lock`` in it (flock(2), so the kernel drops it with its holder) says which gateway was here
first; others on the same home join: they share its store and its databases.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from gateway.embedded.claim import HomeLock
from gateway.serving.refusal import StartRefused

LOCK_FILE = "serve.lock"
LOG_FOLDER = "log"
RESTORING = ".restoring"
LOG_FILE = "gateway.log"
LOG_BYTES = 10_000_000
PRIVATE = 0o700


class Home:
    """A writable home folder.

    Raises:
        StartRefused: the folder can't be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = HomeLock(path / LOCK_FILE)
        self.is_first = False
        """Whether no other gateway was on this home when this one came."""
        if (path / RESTORING).exists():
            raise StartRefused(f"A restore of {path} was interrupted: run tiergate restore again.")
        try:
            path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            (path / LOG_FOLDER).mkdir(mode=PRIVATE, exist_ok=True)
            self._lock.open()
        except (FileExistsError, NotADirectoryError):
            raise StartRefused(f"{path} is not a folder; set TIERGATE_HOME to one that can hold the state.") from None
        except OSError as error:
            said = (error.strerror or "no reason given").lower()
            raise StartRefused(
                f"{path} can't be written ({said}), and the state lives there; set TIERGATE_HOME to a folder that can."
            ) from None

    @property
    def log_file(self) -> Path:
        """Where the workers log."""
        return self.path / LOG_FOLDER / LOG_FILE

    def enter(self) -> None:
        """Find out whether another gateway is here, and hold the lock where none is."""
        self.is_first = self._lock.take()

    def leave(self) -> None:
        """Let go of the lock."""
        self._lock.close()

    def open_log(self) -> IO[bytes]:
        """The log for appending; one that has grown past ``LOG_BYTES`` is set aside first."""
        file = self.log_file
        if self.is_first and file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_suffix(".log.1"))
        return file.open("ab")
