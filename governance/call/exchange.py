"""One call on its way through the stages, and the shape of what the stages are made of.

A policy is a function from handler to handler. A handler takes the ``Exchange`` and returns an
awaitable of what the binding's innermost handler gives: an ``Answer`` when served, the result
itself when local. A stage without I/O is a plain function that returns the next awaitable.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from msgspec import Struct

from governance.call.call import Call, Principal

if TYPE_CHECKING:
    from governance.contract.operation import Operation

Binding = Literal["served", "local"]
Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Answer(Struct, frozen=True):
    """A complete HTTP answer before annotation: status, the service's own headers, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""


class Feed(Protocol):
    """The body of an answer that goes on."""

    async def send_to(self, receive: Receive, send: Send) -> None:
        """Send it to its end, and give back what it holds."""
        ...

    async def close(self) -> None:
        """Give back what it holds without sending it."""
        ...


class Streamed(Answer, frozen=True, kw_only=True):
    """An answer that goes on; what is sent after its headers is its feed's."""

    feed: Feed


class Ended(Exception):
    """Ends a served call with an answer in place of the implementation's: annotated as every other, stored by nobody."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"ended with {answer.status}")
        self.answer = answer


class Request:
    """The request line, headers and body of a served call.

    Header names are lower-case bytes; the values of a repeated one are joined (RFC 9110 §5.3).
    """

    __slots__ = (
        "_receive", "body", "headers", "method", "path", "path_arguments", "peer", "query", "raw_headers", "take_in",
    )  # fmt: skip

    def __init__(
        self,
        *,
        method: str,
        path: str,
        query: bytes,
        raw_headers: Headers,
        peer: str,
        receive: Callable[[], Awaitable[Any]],
        path_arguments: tuple[str, ...] = (),
    ) -> None:
        self.method = method
        self.path = path
        """As it came, percent escapes included."""
        self.query = query
        self.raw_headers = raw_headers
        headers = dict(raw_headers)
        self.headers: dict[bytes, bytes] = headers if len(headers) == len(raw_headers) else combined(raw_headers)
        self.peer = peer
        self.path_arguments = path_arguments
        """The text of each path parameter, percent-decoded, in the template's order."""
        self.body = b""
        self.take_in: Callable[[], Awaitable[bytes]] | None = None
        """Reads the whole body within its bounds; there where who calls is known by the body alone."""
        self._receive = receive

    async def receive(self) -> dict[str, Any]:
        """The next ASGI message of the body."""
        return await self._receive()


def combined(raw_headers: Headers) -> dict[bytes, bytes]:
    """One value for each name: repeated headers are one list, in order."""
    headers: dict[bytes, bytes] = {}
    for name, value in raw_headers:
        headers[name] = b"%b, %b" % (headers[name], value) if name in headers else value
    return headers


class Exchange:
    """One call of one operation in one binding. Stages fill it in from left to right."""

    __slots__ = (
        "arguments",
        "binding",
        "call",
        "evidence",
        "operation",
        "principal",
        "request",
        "response_headers",
        "started",
    )

    def __init__(
        self, operation: Operation, binding: Binding, request: Request | None = None, started: float = 0.0
    ) -> None:
        self.operation = operation
        self.binding: Binding = binding
        self.request = request
        """None when local."""
        self.started = started
        """Monotonic seconds at which the call came in."""
        self.principal: Principal | None = None
        """Set by identify."""
        self.call: Call | None = None
        """Set by identify; complete from authorize on."""
        self.arguments: tuple[Any, ...] = ()
        """The implementation's arguments in the signature's order. Set by decode, or by the local binding."""
        self.response_headers: Headers = []
        """Headers that policies add to the answer, refusals included."""
        self.evidence: dict[str, Any] = {}
        """What policies note for the record stage."""

    @property
    def served(self) -> Request:
        """The request of a served call.

        Raises:
            RuntimeError: the call is local, so there is no request.
        """
        if self.request is None:
            raise RuntimeError(f"{self.operation.id}: a local call has no request")
        return self.request

    @property
    def under(self) -> Call:
        """The call, once identify has made it.

        Raises:
            RuntimeError: a stage before identify asked for it.
        """
        if self.call is None:
            raise RuntimeError(f"{self.operation.id}: the call is not identified yet")
        return self.call


Handler = Callable[[Exchange], Awaitable[Any]]
Wrap = Callable[[Handler], Handler]
