"""Lets a logger say the same thing once in a while: the workflow engine repeats itself many times a second in an outage."""

from __future__ import annotations

import logging

EVERY_S = 10.0


class Seldom(logging.Filter):
    """Passes what one place in the code says at most once in ``EVERY_S`` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this place has been silent for long enough."""
        place = (record.pathname, record.lineno)
        if record.created - self._said.get(place, float("-inf")) < EVERY_S:
            return False
        self._said[place] = record.created
        return True


def once_in_a_while(logger: logging.Logger) -> None:
    """Let ``logger`` repeat itself seldom."""
    if not any(isinstance(one, Seldom) for one in logger.filters):
        logger.addFilter(Seldom())
