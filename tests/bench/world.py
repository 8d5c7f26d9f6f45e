"""The world under measurement: who runs where, and with which token it is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import envoys
from msgspec import Struct
from servers import Server, free_port, gateway
from tokens import token_of

SECRET = "benchmark-secret-benchmark"
SCOPES = (
    "bench-stock.items:read",
    "bench-stock.items:write",
    "bench-shop.listings:read",
    "bench-shop.listings:write",
)
UNLIMITED = "10000000/1s burst 10000000"


class World(Struct, frozen=True, kw_only=True):
    """Everything that runs."""

    together: Server
    together_port: int
    apart: tuple[Server, ...]
    apart_port: int
    one_envoy: tuple[Server, ...]
    one_envoy_port: int
    three_envoys: tuple[Server, ...]
    three_envoys_port: int
    token: str
    envoy_token: str


@contextmanager
def running(folder: Path) -> Iterator[World]:
    """Start everything, and end it whatever happens."""
    os.environ["BENCH_SECRET"] = SECRET
    with ExitStack() as stack:
        up, up_port = envoys.upstream(folder)
        stack.callback(up.stop)
        ports = {tier: free_port() for tier in ("experience", "process", "system")}
        together_port = free_port()
        public = {"TIERGATE_PUBLIC_URL": f"http://127.0.0.1:{together_port}"}
        config = _config(folder / "together.toml", up_port, {})
        together = gateway(folder / "together", together_port, public, config, app="ungoverned_app:create_app")
        stack.callback(together.stop)
        # the three processes share the first one's keys, so that one token is good everywhere
        _share_keys(folder / "together", folder / "apart")
        placed = _config(folder / "apart.toml", up_port, ports)
        apart = []
        for tier in ("system", "process", "experience"):
            server = gateway(folder / "apart", ports[tier], public, placed, tiers=tier)
            stack.callback(server.stop)
            apart.append(server)
        base = f"http://127.0.0.1:{together_port}"
        token = token_of(base, "bench", SECRET)
        issuer = envoys.Issuer()
        one, one_port = envoys.governed(folder, "single", up_port, issuer.jwks)
        stack.callback(one.stop)
        chain: list[Server] = []
        target = up_port
        for name in ("third", "second", "first"):
            envoy, target = envoys.governed(folder, name, target, issuer.jwks)
            stack.callback(envoy.stop)
            chain.append(envoy)
        yield World(
            together=together,
            together_port=together_port,
            apart=tuple(apart),
            apart_port=ports["experience"],
            one_envoy=(one,),
            one_envoy_port=one_port,
            three_envoys=tuple(chain),
            three_envoys_port=target,
            token=token,
            envoy_token=issuer.token,
        )


def _share_keys(source: Path, target: Path) -> None:
    (target / "keys").mkdir(parents=True, mode=0o700)
    for key in (source / "keys").iterdir():
        copy = target / "keys" / key.name
        copy.touch(mode=0o600)
        copy.write_bytes(key.read_bytes())


def _config(path: Path, upstream_port: int, ports: dict[str, int]) -> Path:
    placement = "".join(f'{tier} = "http://127.0.0.1:{ports[tier]}"\n' for tier in ("system", "process") if ports)
    scopes = ", ".join(f'"{scope}"' for scope in SCOPES)
    path.write_text(f"""
[placement]
{placement}
[policies.rate_limit]
experience = "{UNLIMITED}"
process = "{UNLIMITED}"
system = "{UNLIMITED}"

[systems.bench_stock]
connector = "upstream"
settings = {{ url = "http://127.0.0.1:{upstream_port}" }}

[consumers.bench]
secrets = ["env:BENCH_SECRET"]
scopes = [{scopes}]
accounts = ["ACME"]
""")
    return path
