"""The log of a process: one line an event, whatever a client managed to get into it.

Control characters, line ends among them, are written as escapes (CWE-117), so that no request can
forge an entry or move a terminal's cursor. The lines of a traceback are indented under their event.
"""

from __future__ import annotations

import logging
import unicodedata
from typing import IO

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
CHATTY = ("alembic", "dbos", "httpx2")
SEPARATORS = ("\u2028", "\u2029")
"""What some readers take for a line end, though it is no control character."""


class OneLine(logging.Formatter):
    """Formats an event so that only what this process means as a line end is one."""

    def __init__(self) -> None:
        super().__init__(FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The event's own line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 - the name is logging's
        """The traceback, each line indented."""
        text: str = super().formatException(ei)  # type: ignore[arg-type] - logging's own tuple, passed on
        return "\n".join(f"    {escaped(line)}" for line in text.split("\n"))


def escaped(text: str) -> str:
    """``text`` with its control and format characters spelled as Python escapes."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in ("Cc", "Cf", "Cs") or character in SEPARATORS
        else character
        for character in text
    )


def configure_logging(file: IO[bytes] | None = None) -> None:
    """Write this process's log to ``file``, or else to stderr, and only what matters of chatty libraries."""
    handler = logging.StreamHandler() if file is None else logging.FileHandler(file.name)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
