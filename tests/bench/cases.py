"""The measured cases: which request goes to which servers."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex

from load import Build, drive
from msgspec import Struct
from servers import Server
from world import World

ITEM = b'{"sku":"BRG-6204","name":"Deep groove ball bearing","available":100,"account_id":"ACME"}'


class Case(Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    servers: tuple[Server, ...]
    port: int
    build: Build
    connections: int | None = None
    """A number of its own; None for the run's."""


class Sample(Struct, frozen=True, kw_only=True):
    """One round of a case."""

    requests_per_s: float
    cpu_us: float
    store_cpu_us: float


def cases(world: World) -> tuple[Case, ...]:
    """Every case, in the order of the table."""
    gateway, port = (world.together,), world.together_port
    token = world.token
    shop = "/experience/bench-shop/v1"
    stock = "/system/bench-stock/v1"
    return (
        *_against_ungoverned(gateway, port, token, stock),
        *_against_ungoverned(gateway, port, token, stock, connections=1),
        Case(
            name="governed GET, 3 tiers together",
            servers=gateway,
            port=port,
            build=_get(f"{shop}/listings/BRG-6204", token),
        ),
        Case(
            name="governed GET, 3 tiers in 3 processes",
            servers=world.apart,
            port=world.apart_port,
            build=_get(f"{shop}/listings/BRG-6204", token),
        ),
        Case(
            name="governed POST, 3 tiers together", servers=gateway, port=port, build=_post(f"{shop}/listings", token)
        ),
        Case(
            name="GET with upstream, 3 tiers together",
            servers=gateway,
            port=port,
            build=_get(f"{shop}/upstream-listings/BRG-6204", token),
        ),
        Case(
            name="GET with upstream, 1 Envoy",
            servers=world.one_envoy,
            port=world.one_envoy_port,
            build=_get("/items/BRG-6204", world.envoy_token),
        ),
        Case(
            name="GET with upstream, 3 chained Envoys",
            servers=world.three_envoys,
            port=world.three_envoys_port,
            build=_get("/items/BRG-6204", world.envoy_token),
        ),
    )


def _against_ungoverned(
    gateway: tuple[Server, ...], port: int, token: str, stock: str, *, connections: int | None = None
) -> tuple[Case, ...]:
    """The same work with all policies and with none."""
    alone = "" if connections is None else f", {connections} connection"
    builds = {
        "ungoverned GET": _get("/ungoverned/BRG-6204", token),
        "governed GET, 1 tier": _get(f"{stock}/items/BRG-6204", token),
        "ungoverned POST": _post("/ungoverned", token),
        "governed POST, 1 tier": _post(f"{stock}/items", token),
    }
    return tuple(
        Case(name=name + alone, servers=gateway, port=port, build=build, connections=connections)
        for name, build in builds.items()
    )


def sample(case: Case, *, connections: int, seconds: float) -> Sample:
    """One round.

    Raises:
        RuntimeError: an answer was not a success, so that the figure would be of something else.
    """
    before, store_before = _cpu(case), _cpu(case, store=True)
    seen = drive(case.port, case.build, connections=case.connections or connections, seconds=seconds)
    cpu, store = _cpu(case) - before, _cpu(case, store=True) - store_before
    if seen.wrong or not seen.requests:
        raise RuntimeError(f"{case.name}: {seen.wrong} of {seen.requests} answers were not 2xx")
    return Sample(
        requests_per_s=seen.requests / seen.seconds,
        cpu_us=cpu / seen.requests * 1e6,
        store_cpu_us=store / seen.requests * 1e6,
    )


def _cpu(case: Case, *, store: bool = False) -> float:
    return sum(server.cpu_s(store=store) for server in case.servers)


def _get(path: str, token: str) -> Callable[[int], bytes]:
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    return lambda number: request


def _post(path: str, token: str) -> Callable[[int], bytes]:
    run = token_hex(8)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(ITEM)}\r\nIdempotency-Key: {run}-"
    ).encode()
    return lambda number: b"%b%d-%b\r\n\r\n%b" % (head, number, token_hex(6).encode(), ITEM)
