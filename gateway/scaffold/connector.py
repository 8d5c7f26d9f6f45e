"""The source of a connector's skeleton, made from the port it is for.

Every method of the port is there with its signature, and answers ``unavailable`` until it is
written: a skeleton never pretends.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from types import ModuleType
from typing import Any

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
HEAD = '''"""The {name} connector of the {api} API.

It owns the vendor's wire types, authentication, paging and error mapping; nothing of them leaves
this folder. What is not written yet answers ``unavailable``.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from governance.contract.refusals import SystemUnavailable
{imports}

NOT_YET = "The {name} connector does not do this yet."


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``url``: where the vendor's system is; ``timeout_s``: how long an answer may take."""

    url: str = "http://127.0.0.1:9000"
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0


class Connector:
    """A ``{port}`` on the vendor's system."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def start(self) -> None:
        """Open what the vendor's client needs."""

    async def stop(self) -> None:
        """Close what ``start`` opened."""
'''


def port_of(api: str) -> type[Any]:
    """The port of a system API.

    Raises:
        LookupError: there is no such API, or it has no port.
    """
    try:
        module = importlib.import_module(f"system_apis.{api}.port")
    except ModuleNotFoundError:
        raise LookupError(f"There is no system API {api}: no folder holds system_apis/{api}/port.py.") from None
    ports = [one for name, one in vars(module).items() if name.endswith("Port") and inspect.isclass(one)]
    if len(ports) != 1:
        raise LookupError(f"system_apis/{api}/port.py should hold one class whose name ends in Port.")
    return ports[0]


def connector_source(api: str, name: str) -> str:
    """The text of ``connector.py``."""
    port = port_of(api)
    module = importlib.import_module(port.__module__)
    methods = [_method(one) for one in vars(port).values() if inspect.iscoroutinefunction(one)]
    used = set(WORD.findall("".join(methods)))
    imports = "\n".join(sorted(_imports(module, used)))
    head = HEAD.format(name=name, api=api, port=port.__name__, imports=imports)
    return head + "".join(methods)


def _method(declared: Any) -> str:
    signature = inspect.signature(declared)
    doc = (declared.__doc__ or "As the port says.").strip().splitlines()[0]
    parameters = [str(parameter).replace("'", "") for parameter in signature.parameters.values()]
    listed = parameters[0] if len(parameters) == 1 else "".join(f"\n        {one}," for one in parameters) + "\n    "
    result = str(signature.return_annotation).replace("'", "")
    return (
        f'\n    async def {declared.__name__}({listed}) -> {result}:\n        """{doc}"""\n'
        "        raise SystemUnavailable(detail=NOT_YET)\n"
    )


def _imports(module: ModuleType, used: set[str]) -> set[str]:
    """The import lines for the names that the port's signatures use."""
    tree = ast.parse(inspect.getsource(module))
    own = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} & used
    lines = {f"from {module.__name__} import {', '.join(sorted(own))}"} if own else set[str]()
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = sorted({alias.name for alias in node.names} & used)
            if names:
                lines.add(f"from {node.module} import {', '.join(names)}")
    return lines
