"""The store: limits, idempotency and caches, in Valkey or Redis."""

from governance.store.address import Address, parse_address
from governance.store.failures import StoreError, StoreRefused, StoreUnavailable
from governance.store.script import Arguments, Script
from governance.store.store import Store, StoreOptions

__all__ = [
    "Address",
    "Arguments",
    "Script",
    "Store",
    "StoreError",
    "StoreOptions",
    "StoreRefused",
    "StoreUnavailable",
    "parse_address",
]
