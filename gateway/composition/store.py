"""The store of limits, idempotency and cache: an embedded Valkey, or one by URL."""

from __future__ import annotations

from gateway.embedded.valkey import EmbeddedValkey
from gateway.settings import Settings
from governance.store import Store


class StorePart:
    """The store client and, where no URL is given, the embedded server behind it."""

    def __init__(self, settings: Settings) -> None:
        self._embedded = None if settings.store.url else EmbeddedValkey(settings.home)
        address = settings.store.url or f"unix://{self._embedded.socket if self._embedded else ''}"
        self.store = Store(address)

    async def start(self) -> None:
        """Run or join the embedded server, then connect.

        Raises:
            ValkeyFailed: the embedded server does not start.
            StoreUnavailable: the store by URL does not answer.
        """
        if self._embedded is not None:
            await self._embedded.start()
        await self.store.start()

    async def stop(self) -> None:
        """Disconnect, then end the embedded server if it is ours."""
        await self.store.close()
        if self._embedded is not None:
            await self._embedded.stop()
