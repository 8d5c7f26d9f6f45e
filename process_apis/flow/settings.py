"""Settings of the flow runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

MOST_PARKED_S = 300.0


class FlowSettings(Struct, frozen=True, kw_only=True):
    """Where flows are kept and how many are worked on at once."""

    home: Path
    """The folder of the SQLite file and the lock."""
    database_url: str = ""
    """A PostgreSQL URL; empty for SQLite in ``home``."""
    slots: Annotated[int, Meta(ge=1, le=256)] = 16
    """How many steps are done at once in this process."""
    connections: Annotated[int, Meta(ge=4, le=256)] = 24
    poll_s: Annotated[float, Meta(gt=0, le=10)] = 0.05
    """How often the queue is looked at."""
    patience_s: Annotated[float, Meta(ge=0, le=3_600)] = 20.0
    """A flow that waits longer leaves memory and comes back as a row that falls due."""
    park_s: Annotated[float, Meta(gt=0, le=3_600)] = 5.0
    """When it is looked at next; each time twice as long, up to ``MOST_PARKED_S``."""
    look_s: Annotated[float, Meta(gt=0, le=10)] = 0.25
    """How often a process that runs flows looks for those that fall due."""
    trials: Annotated[int, Meta(ge=1, le=100)] = 3
    """A flow in whose step the process died this often is given to people."""
    run: bool = True
    """Whether this process may run flows; if not, it accepts and reads them only."""
    drain_s: Annotated[float, Meta(ge=0, le=300)] = 5.0
    """How long calls under way may take to end at a stop."""
