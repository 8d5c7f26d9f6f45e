"""What a connector takes over from its port: the methods with their signatures, and what these import."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Struct

from gateway.scaffold.names import Refused
from gateway.scaffold.source import docstring, import_lines, signature
from governance.contract.discovery import discover_connectors

Method = Callable[..., Any]


def connector_placeholders(api: str, name: str) -> dict[str, str]:
    """What the connector's templates may say about the port of ``api``.

    Raises:
        Refused: there is no such system API, or its port has nothing that a skeleton could read.
    """
    port = _port(api)
    methods = dict(inspect.getmembers(port, inspect.iscoroutinefunction))
    ordered = sorted(methods.values(), key=lambda method: method.__code__.co_firstlineno)
    readable = next((method for method in ordered if _reads_one(method)), None)
    if readable is None:
        raise Refused(
            f"{port.__name__} has no get_… by plain text: write its connector by hand, as CONTRIBUTING shows."
        )
    segments = [_noun(readable), *inspect.getfullargspec(readable).args[1:]]
    samples = [segments[0], *(_sample(readable, argument) for argument in segments[1:])]
    modules, own = import_lines(ordered)
    return {
        "api": api,
        "name": name,
        "Port": port.__name__,
        "readable": readable.__name__,
        "path": "/" + "/".join([segments[0], *(f"{{{argument}}}" for argument in segments[1:])]),
        "asked": "/" + "/".join(samples),
        "arguments": ", ".join(f'"{sample}"' for sample in samples[1:]),
        "methods": "\n\n".join(_method(method, readable) for method in ordered),
        "stdlib_imports": modules,
        "own_imports": own,
    }


def _port(api: str) -> type[Any]:
    discover_connectors(api)  # opens the API's packages over every folder of the path
    package = f"system_apis.{api}"
    try:
        module = importlib.import_module(f"{package}.port")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{package}.port".startswith(error.name):
            raise
        raise Refused(f"There is no system API {api} with a port: tiergate apis lists what there is.") from None
    wanted = f"{api.replace('_', '')}port"
    for name, member in vars(module).items():
        if name.lower() == wanted and isinstance(member, type):
            return member
    raise Refused(f"{module.__file__} holds no Protocol named for its API, such as TaxRatesPort for tax_rates.")


def _reads_one(method: Method) -> bool:
    hints = get_type_hints(method)
    result = hints.pop("return", None)
    if not method.__name__.startswith("get_") or not (isinstance(result, type) and issubclass(result, Struct)):
        return False
    return bool(hints) and not inspect.getfullargspec(method).kwonlyargs and all(map(_is_text, hints.values()))


def _is_text(annotation: Any) -> bool:
    if get_origin(annotation) is Literal:
        return all(isinstance(value, str) for value in get_args(annotation))
    return annotation is str


def _noun(method: Method) -> str:
    return method.__name__.removeprefix("get_").replace("_", "-")


def _sample(method: Method, argument: str) -> str:
    annotation = get_type_hints(method)[argument]
    return str(get_args(annotation)[0]) if get_origin(annotation) is Literal else "X-1"


def _method(method: Method, readable: Method) -> str:
    if method is readable:
        arguments = inspect.getfullargspec(method).args[1:]
        segments = ", ".join([f'"{_noun(method)}"', *arguments])
        body = f"return await self._request({inspect.signature(method).return_annotation}, {segments})"
    else:
        body = "raise _not_yet()"
    return f"{signature(method)}\n        {docstring(method)}\n        {body}"
