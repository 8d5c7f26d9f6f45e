"""What stands where a retired version's service stood: its contract, so that callers are told where to go.

No request gets this far: the lifecycle policy answers 410 as soon as it knows who calls. Should one
get here all the same, the answer is the same.
"""

from __future__ import annotations

from functools import wraps
from typing import Any, NoReturn

from governance.contract.contract import api_of
from governance.contract.operation import Operation
from governance.contract.refusals import Gone


def tombstone(contract: type[Any]) -> type[Any]:
    """A service of a retired contract whose every operation is gone."""
    members = {operation.name: _gone(operation) for operation in api_of(contract).operations}
    return type(f"Retired{contract.__name__}", (contract,), {**members, "__module__": contract.__module__})


def _gone(operation: Operation) -> Any:
    life = operation.lifecycle

    @wraps(operation.implementation)
    async def gone(*_: object, **__: object) -> NoReturn:
        raise Gone(sunset=life.sunset_at.date(), successor=life.successor)

    vars(gone).pop("__isabstractmethod__", None)
    return gone
