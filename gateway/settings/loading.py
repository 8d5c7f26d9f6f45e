"""From environment and tiergate.toml to ``Settings``.

Order of precedence: ``TIERGATE_*`` variables (which the command line's options set for the
processes it starts), then the file, then the defaults.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import Struct

from gateway.settings.reading import SettingsError, judge, read_section, sentence
from gateway.settings.secrets import SHOWN, SOURCES, SecretResolver, join, masked, reason
from gateway.settings.sections import Gateway, Sections, Settings, Shown

FILE_NAME = "tiergate.toml"
HOME = "TIERGATE_HOME"
CONFIG = "TIERGATE_CONFIG"
DEFAULT_HOME = "var"
OVERRIDES: Mapping[str, str] = {
    "TIERGATE_HOST": "host",
    "TIERGATE_PORT": "port",
    "TIERGATE_PUBLIC_URL": "public_url",
    "TIERGATE_WORKERS": "workers",
    "TIERGATE_TIERS": "tiers",
    "TIERGATE_LOCAL_BINDING": "local_binding",
}
"""Environment variable to the key of ``[gateway]`` that it overrides."""
NUMBERS = frozenset({"port", "workers"})
KUBERNETES = " Kubernetes sets this for a service named tiergate: set enableServiceLinks to false."


class _File(NamedTuple):
    path: Path | None
    name: str
    table: dict[str, Any]


def load_settings(environ: Mapping[str, str], cwd: Path) -> Settings:
    """The settings that ``environ`` and the file it names, or tiergate.toml in ``cwd``, describe.

    Raises:
        SettingsError: with every violation, one sentence each.
    """
    file = _read_file(environ, cwd)
    overrides, complaints = _overrides(environ)
    resolver = SecretResolver(environ, file.path.parent if file.path else cwd)
    table = cast("dict[str, Any]", resolver.resolve(file.table))
    complaints += [sentence(file.name, *one) for one in (*resolver.violations, *judge(table, Sections, ""))]
    if complaints:
        raise SettingsError(complaints)
    table["gateway"] = {**table.get("gateway", {}), **overrides}
    sections = read_section(table, Sections, file=file.name, path="")
    settings = Settings(**_fields(sections), home=_home(environ, cwd), config=file.path, secrets=resolver.found)
    contradictions = settings.contradictions()
    if contradictions:
        raise SettingsError(sentence(file.name, *one) for one in contradictions)
    return msgspec.structs.replace(settings, shown=tuple(_show(settings, file, environ)))


def _home(environ: Mapping[str, str], cwd: Path) -> Path:
    return Path(cwd, Path(environ.get(HOME) or DEFAULT_HOME).expanduser()).resolve()


def _read_file(environ: Mapping[str, str], cwd: Path) -> _File:
    named = environ.get(CONFIG)
    name = named or FILE_NAME
    path = Path(cwd, Path(name).expanduser())
    try:
        return _File(path.resolve(), name, tomllib.loads(path.read_bytes().decode()))
    except FileNotFoundError:
        if named:
            raise SettingsError([f"{CONFIG} names {named}, and there is no such file."]) from None
        return _File(None, name, {})
    except tomllib.TOMLDecodeError as error:
        said = str(error)
        raise SettingsError([f"{name} is not valid TOML: {said[:1].lower()}{said[1:]}."]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{name} can't be read: {reason(error)}."]) from None


def _overrides(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    complaints: list[str] = []
    for variable, key in OVERRIDES.items():
        text = environ.get(variable)
        if not text:
            continue
        values[key] = _typed(key, text)
        hint = KUBERNETES if text.startswith("tcp://") else ""
        complaints += [f"{variable} {what}{hint}" for _, what in judge({key: values[key]}, Gateway, "")]
    return values, complaints


def _typed(key: str, text: str) -> str | int | list[str]:
    if key == "tiers":
        return [tier.strip() for tier in text.split(",")]
    return int(text) if key in NUMBERS and text.isdecimal() else text


def _fields(struct: Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def _show(settings: Settings, file: _File, environ: Mapping[str, str]) -> Iterator[Shown]:
    yield Shown("home", str(settings.home), HOME if environ.get(HOME) else "default")
    overridden = {f"gateway.{key}": variable for variable, key in OVERRIDES.items() if environ.get(variable)}
    written = dict(_leaves(file.table, ""))
    for name in Sections.__struct_fields__:
        for key, value in _leaves(getattr(settings, name), name):
            source = overridden.get(key) or (file.name if key in written else "default")
            yield Shown(key, _shown_value(None if key in overridden else written.get(key), value), source)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    table = _fields(value) if isinstance(value, Struct) else value
    if isinstance(table, dict):
        for key, item in cast("dict[str, Any]", table).items():
            yield from _leaves(item, join(path, key))
    elif _holds_tables(value):
        for place, item in enumerate(cast("list[Any]", value)):
            yield from _leaves(item, f"{path}[{place}]")
    else:
        yield path, value


def _holds_tables(value: Any) -> bool:
    items = cast("list[Any]", value) if isinstance(value, list | tuple) else []
    return any(isinstance(item, dict | Struct) for item in items)


def _shown_value(written: Any, value: Any) -> str:
    if isinstance(written, str) and written.startswith(SOURCES):
        return f"{SHOWN} ({written})"
    return json.dumps(masked(value if written is None else written), ensure_ascii=False)
