"""What the store client raises.

StoreError                 anything that went wrong at the store
├── StoreUnavailable       no answer in time, no connection, or it can't serve now: the outcome is unknown
└── StoreRefused           the store answered with an error: a wrong command, argument or credential
"""

from __future__ import annotations


class StoreError(Exception):
    """Something went wrong at the store."""


class StoreUnavailable(StoreError):
    """The store can't serve now. Whether the command ran is unknown; the caller's failure mode decides."""


class StoreRefused(StoreError):
    """The store understood us and said no: a fault of the program or of its configuration."""


UNABLE = ("LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "READONLY", "MISCONF", "OOM", "NOREPLICAS")
"""Error codes with which a store says that it can't serve for a while."""


def failure_of(reply: Exception) -> StoreError:
    """The exception that an error reply stands for."""
    text = str(reply)
    return StoreUnavailable(text) if text.startswith(UNABLE) else StoreRefused(text)
