"""What can go wrong between us and another process, seen from the connection.

ExchangeFailed             no usable answer came
├── NotConnected           no connection was made: nothing was sent
├── Broken                 the connection ended before the whole answer was there: what was done is unknown
├── TooSlow                no whole answer came in time: what was done is unknown
└── Unreadable             the answer breaks HTTP, or a bound on what is taken in

Connectors never see these: egress turns them into the problems of ``governance.contract.refusals``.
"""

from __future__ import annotations


class ExchangeFailed(Exception):
    """No usable answer came."""


class NotConnected(ExchangeFailed):
    """Nothing was sent, so that trying again repeats nothing. ``late``: the time was over."""

    def __init__(self, reason: str, *, late: bool = False) -> None:
        super().__init__(reason)
        self.late = late


class Broken(ExchangeFailed):
    """The connection ended before the whole answer was there. ``silent``: before any of it."""

    def __init__(self, reason: str, *, silent: bool = True) -> None:
        super().__init__(reason)
        self.silent = silent


class TooSlow(ExchangeFailed):
    """No whole answer came in time."""


class Unreadable(ExchangeFailed):
    """The answer breaks HTTP, or is larger than what is taken in."""
