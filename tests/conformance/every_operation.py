"""The ids of every operation, known before a gateway runs, so that each is a test of its own."""

from __future__ import annotations

from governance.contract.discovery import discover_apis

OPERATIONS = {operation.id: operation for one in discover_apis() for operation in one.api.operations}
EVERY = sorted(OPERATIONS)
TAKING = [name for name in EVERY if OPERATIONS[name].parameters]
WITH_BODY = [name for name in EVERY if OPERATIONS[name].body]
