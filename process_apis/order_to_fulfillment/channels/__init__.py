"""The sales channels, one file each; a file that is added here is a channel."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from process_apis.order_to_fulfillment.channels.channel import SalesChannel, Shortage

__all__ = ["SalesChannel", "Shortage", "channel_of", "channels"]


@cache
def channels() -> dict[str, SalesChannel]:
    """Every channel by its name.

    Raises:
        TypeError: a file here declares no channel, or one under another name than its own.
    """
    found: dict[str, SalesChannel] = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda one: one.name):
        if module.name == "channel":
            continue
        declared = getattr(importlib.import_module(f"{__name__}.{module.name}"), "CHANNEL", None)
        if not isinstance(declared, SalesChannel) or declared.name != module.name:
            raise TypeError(f"{__name__}.{module.name} must declare CHANNEL, a SalesChannel of the name {module.name}.")
        found[module.name] = declared
    return found


def channel_of(name: str) -> SalesChannel:
    """The channel of this name; an order of a channel that is gone is treated like one of the portal."""
    return channels().get(name) or channels()["portal"]
