"""What to do with a fresh skeleton: run its tests, configure it, serve it, call it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.scaffold.names import Names
from gateway.scaffold.skeleton import Kind

SYSTEM_SETTINGS = """\
[systems.{api}]
connector = "{connector}"
settings = {{ url = "http://127.0.0.1:9000" }}"""
CONSUMER = """\
[consumers.{kebab}-desk]
name = "{words} desk"
secrets = ["env:{NAME}_SECRET"]
scopes = [{scopes}]
accounts = ["ACME"]"""
SCOPES = {
    "system-api": ("entries:read", "entries:write"),
    "process-api": ("products:read",),
    "experience-api": ("products:read",),
}


def next_steps(kind: Kind, name: str, written: Sequence[Path], api: str | None) -> str:
    """The steps, to be read in the repository's own folder."""
    tests = next(path for path in written if path.parts[0] == "tests")
    configured = _configuration(kind, name, api)
    steps = [
        f"Test it:\n  export PYTHONPATH=$PWD\n  python -m pytest {tests}",
        *([f"Say in tiergate.toml where it is and who may call it:\n{_indented(configured)}"] if configured else []),
        f"See it and serve it:\n{_indented(_served(kind, name))}",
    ]
    return "\n\n".join(steps)


def _configuration(kind: Kind, name: str, api: str | None) -> str:
    if kind == "connector":
        return SYSTEM_SETTINGS.format(api=api, connector=name)
    if kind == "policy":
        return f'[policies.{name}]\nvalue = "on"'
    words = Names.of(name).placeholders
    scopes = ", ".join(f'"{words["kebab"]}.{scope}"' for scope in SCOPES[kind])
    consumer = CONSUMER.format(kebab=words["kebab"], words=words["Words"], NAME=name.upper(), scopes=scopes)
    return f"{SYSTEM_SETTINGS.format(api=name, connector='http')}\n\n{consumer}" if kind == "system-api" else consumer


def _served(kind: Kind, name: str) -> str:
    if kind in ("connector", "policy"):
        return "tiergate settings\ntiergate serve"
    client = f"{Names.of(name).placeholders['kebab']}-desk"
    secret = f"{name.upper()}_SECRET"
    return (
        f"tiergate apis --operations\nexport {secret}=choose-one-of-your-own\ntiergate serve\n"
        f'tiergate token --client {client} --secret "${secret}"'
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())
