"""The retries that a call brings along from another process of the gateway: one at most.

Retries are paid for where a call comes in from outside (``governance.egress.budget``). A hop lends
the callee one of them, or none; the callee says in its answer when it has spent it. So tiers
share one budget, and what one of them tried again no other multiplies.
"""

from __future__ import annotations

RETRIES_HEADER = "Tiergate-Retries"
"""On a hop: how many retries the callee may make for this call, 0 or 1."""
RETRIED_HEADER = "Tiergate-Retried"
"""On the answer: the callee, or a process below it, made them."""

SPENT = (RETRIED_HEADER.lower().encode(), b"1")


class Allowance:
    """What is left of a lent retry; spending it is told to the lender in ``answer_headers``."""

    __slots__ = ("_answer_headers", "_left")

    def __init__(self, lent: int, answer_headers: list[tuple[bytes, bytes]]) -> None:
        self._left = lent
        self._answer_headers = answer_headers

    def take(self) -> bool:
        """Spend a retry, if one is left."""
        if self._left < 1:
            return False
        self._left -= 1
        self._answer_headers.append(SPENT)
        return True

    def give_back(self) -> None:
        """Return what was taken and not used."""
        self._left += 1
        self._answer_headers.remove(SPENT)
