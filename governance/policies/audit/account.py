"""What an entry says of one call, read from its arguments and its answer by readers made at start-up."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from governance.audit import AuditEntry
from governance.call import Answer, Clock, Exchange
from governance.contract.account_ids import argument_reader
from governance.contract.operation import Operation

Describe = Callable[[Exchange, str, str, Any], AuditEntry]
"""From exchange, subject reference, outcome and result to the entry."""


def describing(operation: Operation, clock: Clock) -> Describe:
    """What describes calls of ``operation``."""
    in_path = [place for place, one in enumerate(operation.parameters) if one.where == "path"]
    readers = [
        (place, read)
        for place, one in enumerate(operation.parameters)
        if (read := argument_reader(one, operation.visibility.fields)) is not None
    ]
    made = re.findall(r"\{(\w+)\}", operation.location)
    now, monotonic = clock.now, clock.monotonic

    def describe(exchange: Exchange, subject: str, outcome: str, result: Any) -> AuditEntry:
        arguments = exchange.arguments
        call = exchange.call
        principal = call.principal if call else None
        accounts = [one for place, read in readers if arguments for one in read(arguments[place])]
        records = [str(arguments[place]) for place in in_path if arguments]
        if made and outcome == "ok":
            records += _made(exchange, made, result)
        return AuditEntry(
            at=now(),
            operation=operation.id,
            binding=exchange.binding,
            outcome=outcome,
            request_id=call.request_id if call else str(exchange.evidence.get("request_id", "")),
            client=principal.client_id if principal else "",
            subject=subject,
            acting_api=(principal.acting_api or "") if principal else "",
            accounts=tuple(dict.fromkeys(map(str, accounts))),
            records=tuple(dict.fromkeys(records)),
            idempotency=str(exchange.evidence.get("idempotency", "")),
            duration_ms=round((monotonic() - exchange.started) * 1_000, 3),
        )

    return describe


def _made(exchange: Exchange, names: list[str], result: Any) -> list[str]:
    """The ids in the path of what was made: from the answer's Location, or from the result of a local call."""
    if isinstance(result, Answer):
        places = [value for name, value in result.headers if name == b"location"]
        return [place.decode().rstrip("/").rpartition("/")[2] for place in places]
    return [str(getattr(result, name)) for name in names if hasattr(result, name)]
