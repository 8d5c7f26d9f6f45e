"""The ids of every operation, known before a gateway runs, so that each is a test of its own."""

from __future__ import annotations

from governance.contract.discovery import discover_apis

_ALL = {operation.id: operation for one in discover_apis() for operation in one.api.operations}
OPERATIONS = {name: operation for name, operation in _ALL.items() if not operation.inbound}
"""What a token opens."""
INBOUND = {name: operation for name, operation in _ALL.items() if operation.inbound}
"""What a vendor's signature opens."""
EVERY = sorted(OPERATIONS)
TAKING = [name for name in EVERY if OPERATIONS[name].parameters]
WITH_BODY = [name for name in EVERY if OPERATIONS[name].body]
