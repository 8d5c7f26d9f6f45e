"""Records that exist: their ids found by the lists of an API, so that reads are proved on something that is there.

Where a list shows nothing, the samples of the contract stand in for it, and an answer is 404.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from governance.contract.operation import Api, Operation
from governance.prove.reply import Reply, Send
from governance.prove.requests import sample_of
from governance.prove.samples import NoSample, sample_value
from governance.prove.tokens import Tokens, Unprovable

MOST_TRIED = 3
"""Records of a list that a read is tried with."""


async def arguments_of_records(
    apis: Iterable[Api], operations: Iterable[Operation], send: Send, tokens: Tokens, account: str
) -> Mapping[str, Mapping[str, Any]]:
    """For each of these reads that names a record: its path parameters with the ids of one, where a list shows one."""
    wanted = [operation for operation in operations if operation.kind == "read" and _ids(operation)]
    found: dict[str, Mapping[str, Any]] = {}
    for api in apis:
        reads = [operation for operation in wanted if operation.api_id == api.id]
        lists = [operation for operation in api.operations if operation.kind == "search"] if reads else []
        shown = [item for one in lists for item in await _shown(one, send, tokens, account)]
        for operation in reads:
            ids = _ids(operation)
            for item in [one for one in shown if ids <= one.keys()][:MOST_TRIED]:
                given = {name: item[name] for name in ids}
                if (await _get(operation, given, send, tokens, account)).status == 200:
                    found[operation.id] = given
                    break
    return found


def _ids(operation: Operation) -> frozenset[str]:
    """The path parameters that name the record; its account is known."""
    return frozenset(one.name for one in operation.parameters if one.where == "path") - {*operation.visibility.fields}


async def _shown(operation: Operation, send: Send, tokens: Tokens, account: str) -> list[dict[str, Any]]:
    """The items of a list, each with the path parameters that it was asked with."""
    try:
        known = {one.name: sample_value(one.type) for one in operation.parameters if one.where == "path"}
        reply = await _get(operation, {}, send, tokens, account)
    except (NoSample, Unprovable):
        return []
    items: list[dict[str, Any]] = msgspec.json.decode(reply.body).get("items", []) if reply.status == 200 else []
    return [{**known, **item} for item in items]


async def _get(operation: Operation, given: Mapping[str, Any], send: Send, tokens: Tokens, account: str) -> Reply:
    sample = sample_of(operation, given=given, account=account)
    token = tokens.token("valid", operation)
    return await send("GET", sample.target, {**sample.headers, "Authorization": f"Bearer {token}"}, None)
