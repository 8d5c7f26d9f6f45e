"""The retry budget: retries are earned by calls, so that they add little to what is failing already.

Guarantee: over any number of calls n that begin in this process, at most ``n × percent / 100 +
reserve`` attempts are repeats; a fresh process has earned none. Budgets of several processes add up
to the same share, because each call is counted in one process only: where it comes in from
outside or is begun by a flow. Across a hop the callee spends what it was lent and earns nothing
(``governance.call.allowance``).

Whole numbers throughout: a call earns ``percent`` hundredths of a retry.
"""

from __future__ import annotations

from typing import Protocol

from governance.call.call import Call

A_RETRY = 100


class Retries(Protocol):
    """Where a retry is taken from: this process's budget, or what a hop was lent."""

    def take(self) -> bool:
        """Spend a retry, if there is one."""
        ...

    def give_back(self) -> None:
        """Return what was taken and not used."""
        ...


class RetryBudget:
    """The retries that this process has earned."""

    __slots__ = ("_earned", "_most", "_percent")

    def __init__(self, percent: int = 10, reserve: int = 10) -> None:
        self._percent = percent
        self._most = reserve * A_RETRY
        self._earned = 0

    def of(self, call: Call | None) -> Retries:
        """What pays for the retries of one exchange under ``call``; an exchange that begins here earns its part."""
        if call is not None and call.allowance is not None:
            return call.allowance
        self._earned = min(self._most, self._earned + self._percent)
        return self

    def take(self) -> bool:
        """Spend a retry, if one is earned."""
        if self._earned < A_RETRY:
            return False
        self._earned -= A_RETRY
        return True

    def give_back(self) -> None:
        """Return what was taken and not used."""
        self._earned = min(self._most, self._earned + A_RETRY)
