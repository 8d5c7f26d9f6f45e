"""Faults of the wire: what is malformed is let in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from governance.bindings import edge, routes, served
from governance.contract import Operation
from governance.contract.problems import Violation
from governance.contract.refusals import InvalidBody, InvalidParameters, MalformedRequest
from governance.prove.faults import accepts
from governance.prove.faults import faults as tried
from governance.prove.samples import sample_value
from governance.wire import body as bodies
from governance.wire.parameters import ParameterReader
from tests.mutants.mutant import Change, Fault, Variant, patched

GROUP = "wire"
Forgives = Callable[[Violation], bool]


def faults() -> Iterator[Fault]:
    """Every fault of this group that does not depend on an operation's own members."""
    yield from _bodies()
    yield from _parameters()
    yield from _requests()


def faults_of(operation: Operation) -> Iterator[Fault]:
    """One member of a body, or one parameter, whose rules nobody checks."""
    if operation.body is not None:
        for field in msgspec.structs.fields(operation.body.type):
            yield Fault(
                group=GROUP,
                name="one member of a body is not checked",
                patch=patched(
                    served, "body_decoder", _forgiving_body(lambda one, at=f"/{field.encode_name}": _at(one, at))
                ),
            )
    for parameter in operation.parameters:
        if parameter.where != "body" and parameter.type not in (str, str | None):
            yield Fault(
                group=GROUP,
                name="one parameter is not checked",
                patch=patched(
                    ParameterReader,
                    "read",
                    _forgiving_parameters(lambda one, name=parameter.name: one.parameter == name),
                ),
            )


def _at(violation: Violation, place: str) -> bool:
    return (violation.pointer or "").startswith(place) and "NUL" not in violation.detail


def _takes_body(operation: Operation) -> bool:
    return operation.body is not None


def _holds_free_text(operation: Operation) -> bool:
    """Whether some text of the body has no pattern that refuses a NUL anyway."""
    body = operation.body
    return body is not None and any(
        fault.rule == "nul" and accepts(body.type, fault.value) for fault in tried(body.type)
    )


def _bodies() -> Iterator[Fault]:
    def fault(name: str, patch: Any) -> Fault:
        return Fault(group=GROUP, name=name, applies=_takes_body, patch=patch)

    yield fault("the content type is not checked", patched(served, "is_json", lambda value: True))
    yield fault("content codings are not checked", patched(served, "_admit_body", _any_coding))
    yield fault(
        "nothing of a body is checked", patched(served, "body_decoder", _forgiving_body(lambda violation: True))
    )
    yield fault("unknown members are taken", patched(served, "body_decoder", _forgiving_body(_unknown)))
    yield fault("missing members are taken", patched(served, "body_decoder", _forgiving_body(_missing)))
    yield Fault(
        group=GROUP,
        name="a NUL character is taken",
        applies=_holds_free_text,
        patch=patched(bodies, "_find_nul", lambda raw, pointer, found: None),
    )
    yield fault("a name may come twice", patched(bodies, "has_duplicate_names", lambda text, members: False))
    yield fault("bytes that are not UTF-8 are taken", patched(bodies, "parse", _replacing))
    yield fault("an empty body is an empty object", patched(bodies, "parse", _emptied))
    yield fault("wrong bodies are answered with 400", patched(served, "body_decoder", _answering_400))
    for more in (1, 1_000_000):
        yield Fault(
            group=GROUP,
            name=f"a body may have {more:,} bytes more" if more > 1 else "a body may have one byte more",
            applies=_takes_body,
            change=_limits(max_body_bytes=more),
        )


def _any_coding(headers: dict[bytes, bytes]) -> None:
    if not served.is_json(headers.get(b"content-type", b"")):
        raise served.UnsupportedMediaType


def _unknown(violation: Violation) -> bool:
    return "is not a member" in violation.detail


def _missing(violation: Violation) -> bool:
    return "required" in violation.detail or "missing" in violation.detail


def _forgiving_body(forgives: Forgives) -> Callable[[Any], Callable[[bytes], Any]]:
    whole = bodies.body_decoder

    def decoder(annotation: Any) -> Callable[[bytes], Any]:
        decode = whole(annotation)

        def decoded(body: bytes) -> Any:
            try:
                return decode(body)
            except InvalidBody as wrong:
                if not all(forgives(violation) for violation in wrong.violations):
                    raise
                return msgspec.convert(sample_value(annotation), annotation)

        return decoded

    return decoder


def _replacing(body: bytes) -> Any:
    return _parse(body.decode(errors="replace").encode())


def _emptied(body: bytes) -> Any:
    return _parse(body or b"{}")


_parse = bodies.parse


def _answering_400(annotation: Any) -> Callable[[bytes], Any]:
    decode = bodies.body_decoder(annotation)

    def decoded(body: bytes) -> Any:
        try:
            return decode(body)
        except InvalidBody as wrong:
            raise MalformedRequest(detail=wrong.detail) from None

    return decoded


def _limits(**more: int) -> Change:
    def change(variant: Variant) -> Variant:
        wider = {name: getattr(variant.limits, name) + by for name, by in more.items()}
        return replace(variant, limits=replace(variant.limits, **wider))

    return change


def _forgiving_parameters(forgives: Forgives) -> Callable[[Any, tuple[str, ...], bytes], list[Any]]:
    whole = ParameterReader.read

    def read(self: Any, path_arguments: tuple[str, ...], query: bytes) -> list[Any]:
        try:
            return whole(self, path_arguments, query)
        except InvalidParameters as wrong:
            if not all(forgives(violation) for violation in wrong.violations):
                raise
        arguments = list(self._defaults)
        for (position, _, _), text in zip(self._path, path_arguments, strict=True):
            arguments[position] = text
        return arguments

    return read


def _queried(operation: Operation) -> bool:
    return any(parameter.where == "query" for parameter in operation.parameters)


def _parameters() -> Iterator[Fault]:
    def fault(name: str, forgives: Forgives, applies: Callable[[Operation], bool] = lambda _: True) -> Fault:
        patch = patched(ParameterReader, "read", _forgiving_parameters(forgives))
        return Fault(group=GROUP, name=name, applies=applies, patch=patch)

    yield fault("unknown query parameters are taken", lambda one: "is not a parameter" in one.detail)
    yield fault("a query parameter may come twice", lambda one: "more than once" in one.detail, _queried)


def _requests() -> Iterator[Fault]:
    def fault(name: str, patch: Any, applies: Callable[[Operation], bool] = lambda _: True) -> Fault:
        return Fault(group=GROUP, name=name, applies=applies, patch=patch)

    acceptable = "every representation is said to be acceptable"
    yield fault(acceptable, patched(served, "accepts_json", lambda accept: True), lambda one: not one.streams)
    yield fault(acceptable, patched(served, "accepts_stream", lambda accept: True), lambda one: one.streams)
    yield fault(
        "HEAD is answered with a body", patched(edge, "respond", _with_body), lambda one: one.safe and not one.streams
    )
    yield fault("Allow is left out", patched(routes.Place, "seal", lambda self: None))
    yield fault("a path below an operation is the operation", patched(routes.Routes, "find", _by_prefix))
    yield Fault(group=GROUP, name="an address may be as long as it likes", change=_limits(max_uri_bytes=1_000_000))
    yield Fault(
        group=GROUP,
        name="a body that nobody takes is ignored",
        applies=lambda operation: operation.body is None,
        change=_asked(_bodiless),
    )
    yield Fault(group=GROUP, name="another method is taken for the operation's", change=_as_its_method)


def _asked(ask: Callable[[Any], Any]) -> Change:
    return lambda variant: replace(variant, ask=ask)


def _bodiless(scope: Any) -> Any:
    kept = [pair for pair in scope["headers"] if pair[0] not in (b"content-length", b"transfer-encoding")]
    return {**scope, "headers": kept}


def _as_its_method(variant: Variant) -> Variant:
    own = variant.operation.method
    return replace(variant, ask=lambda scope: {**scope, "method": own})


_respond = edge.respond


async def _with_body(send: Any, answer: Any, *, head: bool = False) -> None:
    await _respond(send, answer, head=False)


_find = routes.Routes.find


def _by_prefix(self: Any, raw_path: bytes) -> Any:
    path = raw_path
    while path.count(b"/") > 3:
        found = _find(self, path)
        if found is not None:
            return found
        path = path.rpartition(b"/")[0]
    return None
