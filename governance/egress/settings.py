"""What can be set about ways out: ``[egress]`` for all, ``[systems.<api>.egress]`` for one vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from governance.egress.addresses import networks
from governance.egress.breaker import BreakerSettings
from governance.egress.maintenance import Window

Priority = Literal["high", "normal", "low"]
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")

Seconds = Annotated[float, Meta(ge=0.05, le=600, description="a number of seconds from 0.05 to 600")]
Percent = Annotated[int, Meta(ge=0, le=50, description="a share from 0 to 50 percent")]
Count = Annotated[int, Meta(ge=1, le=10_000, description="a whole number from 1 to 10000")]
Places = Annotated[int, Meta(ge=0, le=10_000, description="a whole number from 0 to 10000, 0 for no limit")]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port from 1 to 65535")]


class EgressSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[egress]``: what all ways out share."""

    retry_percent: Percent = 10
    """Retries that calls earn, in percent of them, over all tiers; 0 for no retries."""
    retry_reserve: Places = 10
    """The most retries that a process saves up in good times."""
    hop_timeout_s: Seconds = 30.0
    """How long a call of another tier may take where its caller has no deadline."""
    hop_connections: Count = 128
    """Connections to each other process of the gateway."""
    guarded_ports: Annotated[tuple[Port, ...], Meta(min_length=1, description="a list of ports")] = (443,)
    """Ports that a destination which a user supplied may have."""
    guarded_plain_http: bool = False
    """Whether such a destination may be http instead of https."""
    guarded_exempt: tuple[str, ...] = ()
    """Networks such as "10.20.0.0/16" that such a destination may be in though they are not public."""

    def __post_init__(self) -> None:
        networks(self.guarded_exempt)


class VendorSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[systems.<api>.egress]``: how one system of record is called."""

    connect_timeout_s: Seconds = 2.0
    read_timeout_s: Seconds = 5.0
    """The longest silence within an answer."""
    total_timeout_s: Seconds = 10.0
    """One attempt from its first byte to its last; also how long a killed process keeps its place."""
    attempts: Annotated[int, Meta(ge=1, le=5, description="a whole number from 1 to 5")] = 3
    """How often a call is tried at most, where the retry budget pays for it."""
    concurrency: Places = 0
    """Calls under way at a time over all processes; 0 for no limit."""
    quota_calls: Annotated[int, Meta(ge=0, le=100_000_000, description="a whole number, 0 for no quota")] = 0
    """Calls in any span of ``quota_window_s`` over all processes; 0 for no quota."""
    quota_window_s: Annotated[int, Meta(ge=1, le=2_678_400, description="a number of seconds up to 31 days")] = 60
    queue: Count = 100
    """Calls of each priority that may wait in a process; more are refused at once."""
    queue_wait_s: Seconds = 5.0
    concurrency_without_store: Count = 1
    """Calls under way at a time in each process while the store is away."""
    priorities: Mapping[str, Priority] = {}
    """API id or client id to the priority of what it asks for; ``normal`` where nothing is said."""
    maintenance: tuple[Window, ...] = ()
    max_answer_bytes: Annotated[int, Meta(ge=1024, le=1_073_741_824, description="a number of bytes")] = 16_777_216
    ca_file: str = ""
    """Certificates of an authority of one's own; empty for those of the machine."""
    breaker: BreakerSettings = BreakerSettings()

    def __post_init__(self) -> None:
        for window in self.maintenance:
            window.check()
