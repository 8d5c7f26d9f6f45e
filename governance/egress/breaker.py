"""The circuit breaker: stops asking an endpoint that fails, and finds out carefully when it is back.

Closed: everything passes; outcomes of the last ``window_s`` are counted. Where at least ``least``
of them are there and ``percent`` of these failed, it opens. Open: everything is refused at once
for a time that starts at ``open_s`` and doubles with every failed trial, up to ``longest_open_s``.
Half-open: up to ``trials`` calls at a time pass; as many successes in a row close it, one
failure opens it again. A trial that never reports is forgotten after ``window_s``.

Time is the injected clock's. State is this process's own: each finds out for itself, within ``least`` calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from msgspec import Meta, Struct

State = Literal["closed", "open", "half-open"]
Seconds = Annotated[float, Meta(ge=0.05, le=3600, description="a number of seconds from 0.05 to 3600")]
SLICES = 10
"""Parts of the window that are forgotten one by one."""


class BreakerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a breaker opens and how it closes."""

    least: Annotated[int, Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")] = 10
    """Calls in the window below which nothing is concluded."""
    percent: Annotated[int, Meta(ge=1, le=100, description="a share from 1 to 100 percent")] = 50
    window_s: Seconds = 10.0
    open_s: Seconds = 2.0
    longest_open_s: Seconds = 60.0
    trials: Annotated[int, Meta(ge=1, le=100, description="a whole number from 1 to 100")] = 2


DEFAULTS = BreakerSettings()


class Breaker:
    """The breaker of one endpoint. Ask ``refused_for_s`` first; then report ``succeeded``, ``failed`` or ``ended``."""

    def __init__(self, monotonic: Callable[[], float], settings: BreakerSettings = DEFAULTS) -> None:
        self._monotonic = monotonic
        self._settings = settings
        self.state: State = "closed"
        self.opened = 0
        """How often it has opened."""
        self._slice_s = settings.window_s / SLICES
        self._current = 0
        self._calls = [0] * SLICES
        self._failures = [0] * SLICES
        self._open_until = 0.0
        self._open_s = settings.open_s
        self._under_trial: list[float] = []
        self._passed = 0

    @property
    def open_for_s(self) -> float:
        """Seconds until a call may be tried; 0 when one may now."""
        return max(0.0, self._open_until - self._monotonic()) if self.state == "open" else 0.0

    def refused_for_s(self) -> float:
        """0: the call may be made, and its outcome must be reported; else seconds until one may be tried."""
        if self.state == "closed":
            return 0.0
        now = self._monotonic()
        if self.state == "open":
            if now < self._open_until:
                return self._open_until - now
            self.state, self._passed, self._under_trial = "half-open", 0, []
        self._under_trial = [began for began in self._under_trial if now - began < self._settings.window_s]
        if len(self._under_trial) >= self._settings.trials:
            return self._slice_s
        self._under_trial.append(now)
        return 0.0

    def succeeded(self) -> None:
        """The endpoint answered."""
        if self.state == "half-open":
            self.ended()
            self._passed += 1
            if self._passed >= self._settings.trials:
                self._close()
        elif self.state == "closed":
            self._calls[self._turn()] += 1

    def failed(self) -> None:
        """The endpoint did not answer, or said that it can't."""
        if self.state == "half-open":
            self._open_s = min(self._open_s * 2, self._settings.longest_open_s)
            self._open()
        elif self.state == "closed":
            at = self._turn()
            self._calls[at] += 1
            self._failures[at] += 1
            calls = sum(self._calls)
            if calls >= self._settings.least and sum(self._failures) * 100 >= calls * self._settings.percent:
                self._open()

    def ended(self) -> None:
        """The call says nothing about the endpoint: its caller went away, or gave it too little time."""
        if self._under_trial:
            self._under_trial.pop()

    def _turn(self) -> int:
        now = int(self._monotonic() / self._slice_s)
        for stale in range(max(self._current + 1, now - SLICES + 1), now + 1):
            self._calls[stale % SLICES] = self._failures[stale % SLICES] = 0
        self._current = max(self._current, now)
        return self._current % SLICES

    def _open(self) -> None:
        self.state = "open"
        self.opened += 1
        self._open_until = self._monotonic() + self._open_s

    def _close(self) -> None:
        self.state = "closed"
        self._open_s = self._settings.open_s
        self._calls, self._failures = [0] * SLICES, [0] * SLICES
