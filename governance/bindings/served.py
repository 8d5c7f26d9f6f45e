"""The served binding: an operation as an HTTP handler.

Its own stages are annotate, admit, decode and encode; the policies stand between them. Whatever
happens inside, one answer comes out, with the request id on it.

Standards: RFC 9110 (semantics, conditional requests), RFC 9457 (problems), RFC 7240 (Prefer).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from math import ceil
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from governance.bindings.chain import Link, fold, links
from governance.bindings.execution import concealed, innermost
from governance.bindings.rendering import JSON_HEADER, encoder, entity_tag, header, problem_answer
from governance.bindings.standing_headers import standing_headers
from governance.bindings.streams import EVENT_STREAM, encode_stream, last_event_id
from governance.call.clock import Clock
from governance.call.exchange import Answer, Ended, Exchange, Handler, Request, Streamed, Wrap
from governance.call.policy import Policy
from governance.call.stages import Stage
from governance.contract.operation import Operation
from governance.contract.problems import Problem, Violation
from governance.contract.refusals import (
    BodyTooLarge,
    InvalidParameters,
    MalformedRequest,
    NotAcceptable,
    PreconditionFailed,
    PreconditionRequired,
    RequestTimeout,
    UnsupportedMediaType,
)
from governance.wire.body import body_decoder
from governance.wire.negotiation import accepts_json, accepts_stream, is_json
from governance.wire.parameters import ParameterReader

SINGLE = frozenset(
    (
        b"authorization",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"host",
        b"idempotency-key",
        b"if-match",
    )
)
"""Headers whose second appearance makes a request ambiguous, so that it is refused."""

MOST_LENGTH_DIGITS = 18
"""Python refuses to read numbers of thousands of digits, and no body is that long."""

IF_MATCH = re.compile(rb'"[!#-~]*"|\*')
"""One strong entity tag, or any (RFC 9110 §13.1.1): a weak one never matches, a list is not taken."""


class WireLimits(Struct, frozen=True, kw_only=True):
    """Bounds on what a request may bring."""

    max_body_bytes: int = 1_048_576
    max_uri_bytes: int = 8_192
    body_timeout_s: float = 10.0
    https: bool = False
    """Whether clients reach the gateway by TLS."""
    stream_heartbeat_s: float = 15.0
    """How long a stream may be silent."""
    streams_per_client: int = 1_000
    """How many streams one client may have open in one process."""


def served(
    operation: Operation, service: object, policies: Iterable[Policy], clock: Clock, limits: WireLimits
) -> tuple[Handler, tuple[Link, ...]]:
    """The handler from request to ``Answer`` of one operation, and the chain that it is made of."""
    policies = tuple(policies)
    settling = [policy.refused for policy in policies if type(policy).refused is not Policy.refused]
    own = [
        Link(stage=Stage.ANNOTATE, position=0, name="annotate", wrap=_annotate(operation, limits, settling)),
        Link(stage=Stage.ADMIT, position=0, name="admit", wrap=_admit(operation)),
        Link(stage=Stage.DECODE, position=0, name="decode", wrap=_decode(operation, limits)),
        Link(stage=Stage.EXECUTE, position=0, name="encode", wrap=_encoder(operation, clock, limits)),
    ]
    if operation.inbound:
        own.append(Link(stage=Stage.ADMIT, position=90, name="body", wrap=_offer_body(limits)))
    if not operation.safe:
        own.append(Link(stage=Stage.REPLAY, position=0, name="shield", wrap=_shield))
    chain = links(operation, "served", policies, own)
    return fold(chain, innermost(operation, service, clock)), chain


def _encoder(operation: Operation, clock: Clock, limits: WireLimits) -> Wrap:
    if operation.streams:
        return encode_stream(operation, clock, limits.stream_heartbeat_s, limits.streams_per_client)
    return _encode(operation)


def _annotate(
    operation: Operation, limits: WireLimits, settling: Iterable[Callable[[Exchange], Awaitable[None]]]
) -> Wrap:
    on_success = standing_headers(https=limits.https, readable=operation.safe and not operation.streams)
    on_refusal = standing_headers(https=limits.https, readable=False)

    def wrap(inner: Handler) -> Handler:
        async def annotate(exchange: Exchange) -> Answer:
            try:
                answer = await inner(exchange)
            except Problem as problem:
                exchange.evidence["problem"] = problem.type
                for settle in settling:
                    await settle(exchange)
                answer = _refused(exchange, problem)
            except Ended as ended:
                answer = ended.answer
            except Exception as error:  # noqa: BLE001 - whatever it is, it is logged and answered as a problem
                answer = _refused(exchange, concealed(operation, _request_id(exchange), error))
            standing = on_success if answer.status < 400 else on_refusal
            own = ((b"request-id", _request_id(exchange).encode()), *exchange.response_headers)
            headers = answer.headers + standing + own
            if isinstance(answer, Streamed):
                return Streamed(answer.status, headers, feed=answer.feed)
            return Answer(answer.status, headers, answer.body)

        return annotate

    return wrap


def _refused(exchange: Exchange, problem: Problem) -> Answer:
    exchange.evidence["problem"] = problem.type
    if problem.status == 503 and header(exchange.response_headers, b"retry-after") is None:
        exchange.response_headers.append((b"retry-after", b"%d" % ceil(getattr(problem, "retry_after_s", 1))))
    return problem_answer(problem, instance=exchange.served.path, request_id=_request_id(exchange))


def _request_id(exchange: Exchange) -> str:
    return exchange.call.request_id if exchange.call else exchange.evidence["request_id"]


def _admit(operation: Operation) -> Wrap:
    takes_body = operation.body is not None
    streams = operation.streams
    given = EVENT_STREAM.decode() if streams else "application/json"

    def wrap(inner: Handler) -> Handler:
        def admit(exchange: Exchange) -> Awaitable[Any]:
            request = exchange.served
            headers = request.headers
            if len(headers) != len(request.raw_headers):
                _refuse_ambiguous(request)
            accept = headers.get(b"accept")
            if accept not in (None, b"*/*") and not (accepts_stream(accept) if streams else accepts_json(accept)):
                raise NotAcceptable(detail=f"The operation answers {given}.")
            if takes_body:
                _admit_body(headers)
            elif headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
                raise MalformedRequest(detail="This operation takes no body.")
            return inner(exchange)

        return admit

    return wrap


def _refuse_ambiguous(request: Request) -> None:
    seen: set[bytes] = set()
    for name, _ in request.raw_headers:
        if name in SINGLE and name in seen:
            raise MalformedRequest(detail=f"The header {name.decode()} came more than once.")
        seen.add(name)


def _admit_body(headers: dict[bytes, bytes]) -> None:
    if not is_json(headers.get(b"content-type", b"")):
        raise UnsupportedMediaType(detail="Send the body as application/json in UTF-8.")
    if headers.get(b"content-encoding", b"identity") != b"identity":
        raise UnsupportedMediaType(detail="Send the body without a content coding.")


def _offer_body(limits: WireLimits) -> Wrap:
    """Let identify read the body, whose signature says who calls, once it has seen reason to."""

    def wrap(inner: Handler) -> Handler:
        def offered(exchange: Exchange) -> Awaitable[Any]:
            request = exchange.served
            request.take_in = lambda: _read_body(request, limits)
            return inner(exchange)

        return offered

    return wrap


def _decode(operation: Operation, limits: WireLimits) -> Wrap:
    reader = ParameterReader(operation)
    body = operation.body
    place = operation.parameters.index(body) if body else -1
    decode_body = body_decoder(body.type) if body and not operation.inbound else None
    known_preconditions = operation.conditional
    streams = operation.streams

    def wrap(inner: Handler) -> Handler:
        def decode_parameters(exchange: Exchange) -> Awaitable[Any]:
            request = exchange.served
            exchange.arguments = tuple(reader.read(request.path_arguments, request.query))
            if streams:
                exchange.under.last_event_id = last_event_id(request.headers)
            return inner(exchange)

        async def decode_all(exchange: Exchange) -> Any:
            request = exchange.served
            if known_preconditions:
                exchange.under.if_match = _if_match(request.headers)
            arguments = reader.read(request.path_arguments, request.query)
            request.body = await _read_body(request, limits)
            if decode_body is not None:
                arguments[place] = decode_body(request.body)
            exchange.arguments = tuple(arguments)
            return await inner(exchange)

        def decode_nothing(exchange: Exchange) -> Awaitable[Any]:
            reader.read(exchange.served.path_arguments, exchange.served.query)
            return inner(exchange)  # identify has made the arguments of the body whose signature it judged

        if operation.inbound:
            return decode_nothing
        return decode_all if decode_body is not None else decode_parameters

    return wrap


def _if_match(headers: dict[bytes, bytes]) -> str:
    value = headers.get(b"if-match")
    if value is None:
        raise PreconditionRequired(detail="Send If-Match with the ETag of the record that you read.")
    if not IF_MATCH.fullmatch(value):
        violation = Violation(header="If-Match", detail='must be one entity tag, such as "3", or *')
        raise InvalidParameters((violation,))
    if value == b'"*"':
        raise PreconditionFailed  # a tag like any other, and no record has it
    return value.decode().strip('"')


async def _read_body(request: Request, limits: WireLimits) -> bytes:
    length = request.headers.get(b"content-length")
    if length is not None:
        if not length.isdigit():
            raise MalformedRequest(detail="Content-Length is not a number.")
        if len(length) > MOST_LENGTH_DIGITS or int(length) > limits.max_body_bytes:
            raise BodyTooLarge(limit_bytes=limits.max_body_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            while True:
                message = await request.receive()
                if message["type"] == "http.disconnect":  # the client is gone, or its framing is broken
                    raise MalformedRequest(detail="The body broke off or is not framed as HTTP.")
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limits.max_body_bytes:
                    raise BodyTooLarge(limit_bytes=limits.max_body_bytes)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError:
        raise RequestTimeout(detail=f"The body did not arrive within {limits.body_timeout_s:g} s.") from None


_under_way: set[asyncio.Future[Any]] = set()


def _shield(inner: Handler) -> Handler:
    """A write that began is finished, whoever stops waiting for it."""

    async def shielded(exchange: Exchange) -> Any:
        work = asyncio.ensure_future(inner(exchange))
        _under_way.add(work)  # the event loop holds no task that nobody waits for
        work.add_done_callback(_under_way.discard)
        return await asyncio.shield(work)

    return shielded


async def finish_writes(within_s: float) -> None:
    """Return when every write that began in this event loop has ended, or after ``within_s`` seconds.

    Whoever stops a gateway's parts asks first: a server waits only for those that somebody still waits for.
    """
    loop = asyncio.get_running_loop()
    ours = [work for work in _under_way if work.get_loop() is loop]
    if ours:
        await asyncio.wait(ours, timeout=within_s)


def _encode(operation: Operation) -> Wrap:
    status = operation.success_status
    location = _location(operation)
    tagged = operation.kind in ("read", "search", "create", "replace", "amend") and not operation.accepted
    conditional = operation.safe

    def wrap(inner: Handler) -> Handler:
        async def encode(exchange: Exchange) -> Answer:
            result = await inner(exchange)
            if status == 204:
                return Answer(204)
            body = encoder.encode(result)
            headers: tuple[tuple[bytes, bytes], ...] = (JSON_HEADER,)
            if tagged:
                tag = (b"etag", entity_tag(result, body))
                if conditional and _not_modified(exchange.served.headers, tag[1]):
                    return Answer(304, (tag,))
                headers += (tag,)
            if location is not None:
                headers += ((b"location", location(result)),)
            return Answer(status, headers, body)

        return encode

    return wrap


def _not_modified(headers: dict[bytes, bytes], tag: bytes) -> bool:
    given = headers.get(b"if-none-match")
    if given is None:
        return False
    return given.strip() == b"*" or tag in {part.strip().removeprefix(b"W/") for part in given.split(b",")}


def _location(operation: Operation) -> Callable[[Any], bytes] | None:
    if not operation.location:
        return None
    names = re.findall(r"\{(\w+)\}", operation.location)
    template = operation.location

    def location(result: Any) -> bytes:
        return template.format(**{name: quote(str(getattr(result, name)), safe="") for name in names}).encode()

    return location
