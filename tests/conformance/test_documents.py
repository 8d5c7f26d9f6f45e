"""Generated requests, right and wrong ones, get what the documents say: schemathesis over the served documents.

A few cases of every operation, the same ones in every run. Right ones may be refused by the business
but never break a gateway; wrong ones are refused; statuses, headers and bodies are the documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from governance.contract import Operation
from tests.conformance.conftest import Served
from tests.conformance.every_operation import EVERY, TAKING

pytestmark = [pytest.mark.anyio, pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")]
ALWAYS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4
GATE = "http://gate"


@pytest.fixture(scope="module")
def schemas(served: Served) -> dict[str, Any]:
    return {name: schemathesis.openapi.from_dict(document) for name, document in served.documents.items()}


def cases(operation: Operation, schema: Any, mode: GenerationMode) -> list[Case]:
    """The generated requests of one operation."""
    found: list[Case] = []
    place = operation.path.removeprefix(schema.raw_schema["servers"][0]["url"])

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=schema[place][operation.method].as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        found.append(case)

    collect()
    return found


def judge(case: Case, response: Response, checks: list[Any]) -> None:
    """Hold the answer to the checks; what fails is one sentence, as groups of errors end the event loop."""
    try:
        case.validate_response(response, checks=checks)
    except FailureGroup as failures:
        pytest.fail("\n".join(str(one) for one in failures.exceptions), pytrace=False)


async def answer(served: Served, operation: Operation, case: Case, headers: Mapping[str, str]) -> Response:
    given_headers = {name: value for name, value in (case.headers or {}).items() if name != "Authorization"}
    if operation.streams:  # without it a right one has no end
        headers = {**headers, "Prefer": "wait=0.1"}
    base_url = GATE + served.documents[operation.api_id]["servers"][0]["url"]
    sending = case.as_transport_kwargs(base_url=base_url, headers={**given_headers, **headers})
    request = requests.Request(**sending).prepare()
    parts = urlsplit(request.url or "")
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    body = request.body.encode() if isinstance(request.body, str) else request.body
    assert body is None or isinstance(body, bytes)
    sent = {name: str(value) for name, value in request.headers.items() if name.lower() != "content-length"}
    reply = await served.send(request.method or "", target, sent, body)
    assert reply.status < 500, (target, body, reply)
    return Response(
        status_code=reply.status,
        headers={name: [value] for name, value in reply.headers.items()},
        content=reply.body,
        request=request,
        elapsed=0.0,
        verify=False,
    )


@pytest.mark.parametrize("name", EVERY)
async def test_right_requests_get_documented_answers(served: Served, schemas: dict[str, Any], name: str) -> None:
    operation = served.operations[name]
    headers = served.authorized(operation, {}, client=f"right:{name}")
    for case in cases(operation, schemas[operation.api_id], GenerationMode.POSITIVE):
        judge(case, await answer(served, operation, case, headers), ALWAYS)


@pytest.mark.parametrize("name", TAKING)
async def test_wrong_requests_are_refused(served: Served, schemas: dict[str, Any], name: str) -> None:
    operation = served.operations[name]
    headers = served.authorized(operation, {}, client=f"wrong:{name}")
    for case in cases(operation, schemas[operation.api_id], GenerationMode.NEGATIVE):
        response = await answer(served, operation, case, headers)
        refused_by_size = response.status_code in (413, 414)  # which schemathesis does not count as a refusal
        judge(case, response, ALWAYS if refused_by_size else [*ALWAYS, negative_data_rejection])
