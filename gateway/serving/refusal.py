"""Why a gateway does not start, in one clear sentence."""

from __future__ import annotations


class StartRefused(Exception):
    """The gateway can't start. ``exit_code`` is 2 where the configuration is to blame, else 1."""

    def __init__(self, sentence: str, *, exit_code: int = 1) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
