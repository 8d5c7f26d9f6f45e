"""Egress: makes the ways out of a process, and opens and closes them with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from governance.call.clock import Clock, SystemClock
from governance.egress.budget import RetryBudget
from governance.egress.figures import EgressFigures
from governance.egress.guard import Guard
from governance.egress.guarded import GuardedClient
from governance.egress.hop import HopClient
from governance.egress.mail import MailClient
from governance.egress.settings import EgressSettings, VendorSettings
from governance.egress.vendor import Shared, VendorClient
from governance.store import Store
from governance.telemetry.tracing import Tracing


class Egress:
    """Everything that leaves this process does so through what is made here; all of it shares one retry budget.

    Without a store nothing is shared with other processes: no cache, and places are this process's own.
    """

    def __init__(
        self,
        settings: EgressSettings | None = None,
        *,
        clock: Clock | None = None,
        store: Store | None = None,
        tracing: Tracing | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings or EgressSettings()
        clock = clock or SystemClock()
        budget = RetryBudget(self._settings.retry_percent, self._settings.retry_reserve)
        self.figures = EgressFigures()
        self._shared = Shared(
            clock=clock, budget=budget, store=store, figures=self.figures, tracing=tracing or Tracing(), pause=pause
        )
        self.hops = HopClient(
            self._settings.hop_connections,
            self._settings.hop_timeout_s,
            budget=budget,
            clock=clock,
            figures=self.figures,
        )
        guard = Guard(
            ports=self._settings.guarded_ports,
            plain_http=self._settings.guarded_plain_http,
            exempt=self._settings.guarded_exempt,
        )
        self.guarded = GuardedClient(guard, self.figures)
        self._vendors: dict[str, VendorClient | MailClient] = {}

    def vendor(self, name: str, settings: VendorSettings | None = None) -> VendorClient:
        """The way out to the system ``name``; made before ``start``, with which it opens."""
        made = self._vendors[name] = VendorClient(name, settings or VendorSettings(), self._shared)
        return made

    def mail(self, name: str, settings: VendorSettings | None = None) -> MailClient:
        """The way out to the mail server of the system ``name``; made before ``start``.

        Raises:
            OSError: its ``ca_file`` holds no certificates.
        """
        made = self._vendors[name] = MailClient(name, settings or VendorSettings(), self._shared)
        return made

    async def start(self) -> None:
        """Open every way out in the running event loop."""
        await self.hops.start()
        for vendor in self._vendors.values():
            await vendor.start()

    async def stop(self) -> None:
        """Close every way out."""
        for vendor in self._vendors.values():
            await vendor.stop()
        await self.hops.stop()
