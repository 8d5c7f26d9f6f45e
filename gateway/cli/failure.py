"""How a command fails: sentences for a person and an exit code for a script."""

from __future__ import annotations

CONFIGURATION = 2
RUNTIME = 1


class Failure(Exception):
    """Ends a command. ``exit_code`` is 2 where configuration or arguments are to blame, else 1."""

    def __init__(self, *sentences: str, exit_code: int = RUNTIME) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences
        self.exit_code = exit_code
