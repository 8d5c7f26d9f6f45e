"""When a step is asked again: soon after an outage, patiently for what it waits for."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from msgspec import Struct
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from governance.contract import Problem, Refusal
from governance.contract.refusals import InternalError, SystemUnavailable

T = TypeVar("T")
log = logging.getLogger("tiergate.flow")
LOGGED = (3, 10, 100)


class Backoff(Struct, frozen=True, kw_only=True):
    """Growing delays in seconds, each shortened by up to a fifth at random so that flows don't march in step."""

    first_s: float
    factor: float
    most_s: float

    def delay_s(self, attempt: int) -> float:
        """The delay before attempt ``attempt`` + 1; the first attempt is 0."""
        grown = self.first_s * self.factor ** min(attempt, 32)
        return min(grown, self.most_s) * random.uniform(0.8, 1.0)  # noqa: S311 - spreads load, keeps no secret


OUTAGE = Backoff(first_s=0.1, factor=2, most_s=15)
POLL = Backoff(first_s=0.15, factor=1.6, most_s=2)


OUTAGES = (Problem, OSError, SQLAlchemyError)
"""What the world outside does to a flow; anything else is wrong in the flow itself."""
PERSISTENT = 20
"""A system that failed in itself this often will not mend by asking: some four minutes."""

SOON_S = 1.0
"""What a 503 without a time of its own says."""
LONGEST_ASKED_S = 60.0
"""However long a system is away for, a flow looks once a minute whether it was cancelled."""


def asked_s(error: Exception) -> float:
    """Seconds that a system asked to be left alone, such as until its maintenance is over; 0 where it asked nothing."""
    wait_s = error.retry_after_s if isinstance(error, SystemUnavailable) else 0.0
    return min(wait_s, LONGEST_ASKED_S) if wait_s > SOON_S else 0.0


def is_final(error: Exception, attempts: int) -> bool:
    """Whether asking again is of no use after ``attempts``: a refusal, a wrong request, or a fault that stays."""
    if isinstance(error, Refusal):
        return True
    if isinstance(error, InternalError):
        return attempts >= PERSISTENT
    if isinstance(error, OUTAGES):
        return isinstance(error, Problem) and not error.retryable
    return attempts > 0


async def in_database(work: Callable[[], T]) -> T:
    """What ``work`` gives, done in a thread, and done again for as long as the database is away."""
    for attempt in count():
        try:
            return await asyncio.to_thread(work)
        except (OperationalError, PoolExhausted) as error:
            if attempt in LOGGED:
                log.warning("a flow waits for the database: %s", error)
            await asyncio.sleep(OUTAGE.delay_s(attempt))
    raise AssertionError  # attempts never end
