"""Settings of the flow runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

MOST_PARKED_S = 300.0


class FlowTuning(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[flows]`` of tiergate.toml: how many flows are worked on at once, how they wait, what is kept of them."""

    slots: Annotated[int, Meta(ge=1, le=256)] = 16
    """How many steps are done at once in this process."""
    poll_s: Annotated[float, Meta(gt=0, le=10)] = 0.05
    """How often the queue is looked at."""
    patience_s: Annotated[float, Meta(ge=0, le=3_600)] = 20.0
    """A flow that waits longer leaves memory and comes back as a row that falls due."""
    park_s: Annotated[float, Meta(gt=0, le=3_600)] = 5.0
    """When it is looked at next; each time twice as long, up to ``MOST_PARKED_S``."""
    look_s: Annotated[float, Meta(gt=0, le=10)] = 0.25
    """How often a process that runs flows looks for those that fall due."""
    watch_s: Annotated[float, Meta(gt=0, le=3_600)] = 5.0
    """How often it looks for flows that the workflow engine has let go of."""
    trials: Annotated[int, Meta(ge=2, le=100)] = 3
    """A flow in whose step the process died this often is given to people; once may be by a neighbour's doing."""
    drain_s: Annotated[float, Meta(ge=0, le=300)] = 5.0
    """How long calls under way may take to end at a stop."""
    tidy_s: Annotated[float, Meta(gt=0, le=86_400)] = 600.0
    """How often what is too old is looked for."""
    engine_days: Annotated[float, Meta(gt=0, le=3_660)] = 7.0
    """Days for which the workflow engine's own rows of ended flows are kept."""
    timeline_days: Annotated[float, Meta(gt=0, le=36_600)] = 400.0
    """Days for which what was done for an ended flow is kept; the order itself stays."""


class FlowSettings(FlowTuning, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where flows are kept, and the rest."""

    home: Path
    """The folder of the SQLite file and the lock."""
    database_url: str = ""
    """A PostgreSQL URL; empty for SQLite in ``home``."""
    connections: Annotated[int, Meta(ge=4, le=256)] = 24
    run: bool = True
    """Whether this process may run flows; if not, it accepts and reads them only."""
